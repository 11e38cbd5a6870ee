import type { StagedBlob } from '@millrace/core/spi';
import type { SinkPart } from './manifest.js';

/** The blobs that sinks have not published all of, as what they prepared names them. */
export function stagedBlobsOf(sinks: readonly SinkPart[]): readonly StagedBlob[] {
  return sinks.flatMap(({ prepared }) => stagedIn(prepared));
}

/** What a sink prepared, with other names for its blobs. */
export function withStagedNames(part: SinkPart, nameOf: (blob: string) => string): SinkPart {
  const staged = stagedIn(part.prepared);
  if (staged.length === 0) return part;
  const renamed = staged.map((ref) => ({ ...ref, blob: nameOf(ref.blob) }));
  return { ...part, prepared: { ...(part.prepared as object), staged: renamed } };
}

/** Sinks are free in what they prepare: a list of anything else is none of blobs. */
function stagedIn(prepared: unknown): readonly StagedBlob[] {
  if (typeof prepared !== 'object' || prepared === null) return [];
  const { staged } = prepared as { readonly staged?: unknown };
  return Array.isArray(staged) && staged.every(isStagedBlob) ? staged : [];
}

function isStagedBlob(value: unknown): value is StagedBlob {
  if (typeof value !== 'object' || value === null) return false;
  const { blob, bytes, sha256 } = value as Partial<StagedBlob>;
  return typeof blob === 'string' && typeof bytes === 'number' && typeof sha256 === 'string';
}
