import type { KeyTable } from '@millrace/core/spi';

/**
 * Rows of a table that are outside memory, page by page: `take` gives the page that the last
 * `prefetch` has loaded. A page is good until the next one is loaded.
 */
export class RowPages {
  /** There are no more pages. */
  isOver = false;
  /** The page before has been dealt with, and the next one is not there yet. */
  private isWanted = false;
  private page: KeyTable | undefined;
  private readonly pages: AsyncIterator<KeyTable>;

  constructor(pages: AsyncIterator<KeyTable>) {
    this.pages = pages;
  }

  /** The next page; undefined when it has to be loaded first, or there are no more. */
  take(): KeyTable | undefined {
    const { page } = this;
    this.page = undefined;
    this.isWanted = page === undefined;
    return page;
  }

  /** Loads the next page where one was asked for in vain. */
  prefetch(): Promise<void> | undefined {
    return this.isWanted && !this.isOver ? this.load() : undefined;
  }

  private async load(): Promise<void> {
    const { done, value } = await this.pages.next();
    if (done === true) this.isOver = true;
    else this.page = value;
  }
}
