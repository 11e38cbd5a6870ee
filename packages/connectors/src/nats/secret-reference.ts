import { readFileSync } from 'node:fs';
import { MillraceError } from '@millrace/core';
import { refuseOption } from '../option-checks.js';

/**
 * Where a secret is: an environment variable or a file. The secret itself is never part of a job.
 *
 * @example
 * const settings: NatsSettings = { auth: { token: { env: 'NATS_TOKEN' } } };
 */
export type SecretReference = { readonly env: string } | { readonly file: string };

/**
 * Reads the secret anew at each call, so that it can be renewed while a job runs; when that fails
 * later on, the last one is tried again.
 *
 * @throws ERR_SECRET_MISSING when it is not there now
 */
export function secretReader(option: string, reference: SecretReference): () => string {
  let last = readSecret(option, reference);
  return () => {
    try {
      last = readSecret(option, reference);
    } catch {
      // A file that is being replaced may be missing for a moment.
    }
    return last;
  };
}

/** Refuses a secret in the place of a reference, without repeating it. */
export function assertSecretReference(option: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) {
    const { env, file } = value as { readonly env?: unknown; readonly file?: unknown };
    if ((typeof env === 'string') !== (typeof file === 'string')) return;
  }
  refuseOption(
    option,
    `${option} must say where the secret is, as { env: 'NAME' } or { file: 'path' }, and not be it`,
  );
}

function readSecret(option: string, reference: SecretReference): string {
  const [where, text] =
    'env' in reference
      ? [`the environment variable ${reference.env}`, process.env[reference.env]]
      : [`the file ${reference.file}`, textOf(reference.file)];
  const secret = text?.trim() ?? '';
  if (secret !== '') return secret;
  throw new MillraceError('ERR_SECRET_MISSING', `${where} is missing or empty`, { field: option });
}

/** At once, as the client asks for secrets in the middle of connecting. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
