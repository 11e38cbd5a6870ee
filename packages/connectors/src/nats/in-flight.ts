import type { NatsLink } from './nats-link.js';

/**
 * Promises that end with their connection: what was on its way when it broke is in doubt, and
 * waiting for its answer would only take time.
 */
export class InFlight {
  private readonly rejections = new Set<(why: Error) => void>();

  constructor(link: NatsLink) {
    link.onGap(() => this.end(new Error('the connection was lost')));
    link.onFailure((error) => this.end(error));
  }

  /** Settles like `answer`, but rejects as soon as the connection is lost. */
  guard<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.rejections.add(reject);
      answer.then(resolve, reject).finally(() => this.rejections.delete(reject));
    });
  }

  private end(why: Error): void {
    for (const reject of [...this.rejections]) reject(why);
  }
}
