import { editSource, fileOf } from './edit-modules.js';
import type { Edit } from './planted-bug.js';

/** What a module of Node's loader gives; as much of it as is used here. */
interface Loaded {
  readonly format: string;
  readonly source: string | Uint8Array | undefined;
}

type Load = (url: string, context: unknown) => Promise<Loaded>;

let edits: readonly Edit[] = [];

/** Called once with what `register` was given. */
export function initialize(planted: readonly Edit[]): void {
  edits = planted;
}

/** Plants the bug into each module as it is loaded. */
export async function load(url: string, context: unknown, next: Load): Promise<Loaded> {
  const loaded = await next(url, context);
  const own = edits.filter(({ module }) => url.endsWith(`/packages/${fileOf(module)}`));
  if (own.length === 0 || loaded.source === undefined) return loaded;
  const text =
    typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
  return { ...loaded, source: editSource(text, own) };
}
