import { MillraceError } from '@millrace/core';
import type { BroadcastState, Key, ReadOnlyBroadcastState } from '@millrace/core/spi';

/** Broadcast state as functions see it that may not change it, also where types are cast away. */
export class ReadOnlyBroadcast implements ReadOnlyBroadcastState<Key, unknown> {
  private readonly state: BroadcastState<Key, unknown>;
  private readonly operator: string;
  private readonly name: string;

  constructor(state: BroadcastState<Key, unknown>, operator: string, name: string) {
    this.state = state;
    this.operator = operator;
    this.name = name;
  }

  get size(): number {
    return this.state.size;
  }

  get(key: Key): unknown {
    return this.state.get(key);
  }

  has(key: Key): boolean {
    return this.state.has(key);
  }

  entries(): Iterable<readonly [Key, unknown]> {
    return this.state.entries();
  }

  set(): never {
    throw this.refusal('set');
  }

  delete(): never {
    throw this.refusal('delete');
  }

  clear(): never {
    throw this.refusal('clear');
  }

  private refusal(method: string): MillraceError {
    const { name, operator } = this;
    const detail = `broadcast.${name}.${method} was called outside processBroadcast`;
    return new MillraceError('ERR_STATE_READ_ONLY', detail, { operator, field: name });
  }
}
