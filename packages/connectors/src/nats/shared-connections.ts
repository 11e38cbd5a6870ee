import type { NatsLink } from './nats-link.js';
import { SharedLink } from './shared-link.js';
import type { WatchedConnection } from './watched-connection.js';

/**
 * Connections by name, with the number of their users: the first one opens, the last one closes.
 * One that has failed is not given to anybody any more.
 */
export class SharedConnections {
  private readonly byName = new Map<string, Shared>();

  /** @param open called unless there is one of that name, or one is being opened */
  async join(name: string, open: () => Promise<WatchedConnection>): Promise<NatsLink> {
    const shared = this.byName.get(name) ?? this.begin(name, open);
    shared.users += 1;
    try {
      return this.linkOf(name, shared, await shared.watched);
    } catch (error) {
      shared.users -= 1;
      throw error;
    }
  }

  private begin(name: string, open: () => Promise<WatchedConnection>): Shared {
    const shared: Shared = { watched: open(), users: 0 };
    this.byName.set(name, shared);
    shared.watched.then(
      ({ gate }) => gate.onFailure(() => this.remove(name, shared)),
      () => this.remove(name, shared),
    );
    return shared;
  }

  /** Unless another one has taken its place. */
  private remove(name: string, shared: Shared): void {
    if (this.byName.get(name) === shared) this.byName.delete(name);
  }

  private linkOf(name: string, shared: Shared, watched: WatchedConnection): NatsLink {
    const { gate, connection } = watched;
    return new SharedLink(connection, gate, async () => {
      shared.users -= 1;
      if (shared.users > 0) return;
      this.remove(name, shared);
      await watched.close();
    });
  }
}

interface Shared {
  readonly watched: Promise<WatchedConnection>;
  users: number;
}
