import { MillraceError } from '@millrace/core';
import { canonicalJson } from '@millrace/core/internal';
import type { CheckpointStore } from '@millrace/core/spi';
import { sha256 } from '../host/digest.js';
import type { Manifest } from './manifest.js';
import { writeBlob } from './manifest-io.js';

/**
 * Writes the manifest of a savepoint. No commit record vouches for it, since the folder may be
 * moved anywhere: so it carries its own checksum.
 */
export async function writeSavepointManifest(
  store: CheckpointStore,
  name: string,
  manifest: Manifest,
): Promise<void> {
  const text = canonicalJson({ ...manifest, sha256: checksumOf(manifest) });
  await writeBlob(store, name, new TextEncoder().encode(text));
}

/**
 * @param path for the error
 * @throws MillraceError `ERR_CHECKPOINT_CORRUPT` when it is not what was written
 */
export function parseSavepointManifest(bytes: Uint8Array, path: string): Manifest {
  const text = new TextDecoder().decode(bytes);
  const parsed = parseObject(text, path);
  const { sha256: stored, ...manifest } = parsed;
  // The same values in another form are not what was written, either.
  if (stored !== checksumOf(manifest) || text !== canonicalJson(parsed)) {
    throw corrupt(`${path} is not what was written to it`);
  }
  if (manifest.format === 1) return manifest;
  throw corrupt(`${path} has format ${manifest.format}, which is unknown here`);
}

function checksumOf(manifest: Manifest): string {
  return sha256(new TextEncoder().encode(canonicalJson(manifest)));
}

function parseObject(text: string, path: string): Manifest & { readonly sha256?: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw corrupt(`${path} is no manifest`, cause);
  }
  if (typeof value === 'object' && value !== null) return value as Manifest;
  throw corrupt(`${path} is no manifest`);
}

function corrupt(detail: string, cause?: unknown): MillraceError {
  return new MillraceError('ERR_CHECKPOINT_CORRUPT', detail, { cause });
}
