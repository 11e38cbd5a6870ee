import type { SourceContext, Split, SplitEnumerator } from '@millrace/core/spi';
import type { NatsLink } from './nats-link.js';
import type { NatsSettings } from './nats-settings.js';
import { openNats } from './open-nats.js';

/** A split of a stream by name, and how to find where it begins. */
export interface NamedSplit {
  readonly id: string;
  readonly position: (link: NatsLink) => Promise<unknown>;
}

/**
 * Hands out the splits that a source's options name, each with where it begins, so that it begins
 * there also when the job is started again before it has read anything. Splits that options have
 * got since a checkpoint are handed out when the job is started from it.
 *
 * @param snapshot names of the splits that were handed out before
 */
export function streamEnumerator(
  settings: NatsSettings,
  context: SourceContext,
  named: readonly NamedSplit[],
  snapshot: unknown,
): SplitEnumerator {
  let known = (snapshot as readonly string[] | undefined) ?? [];
  return {
    async discover() {
      const found = named.filter(({ id }) => !known.includes(id));
      const splits = await positionsOf(settings, context, found);
      known = [...known, ...found.map(({ id }) => id)];
      return { splits, end: true };
    },
    snapshot: () => known,
  };
}

async function positionsOf(
  settings: NatsSettings,
  context: SourceContext,
  found: readonly NamedSplit[],
): Promise<readonly Split[]> {
  if (found.length === 0) return [];
  // The same connection as the reader's, which is open already.
  const link = await openNats(settings, context, 'source');
  try {
    const splits: Split[] = [];
    for (const { id, position } of found) splits.push({ id, position: await position(link) });
    return splits;
  } finally {
    await link.close();
  }
}
