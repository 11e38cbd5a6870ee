/**
 * Where a secret is: an environment variable or a file. The secret itself is never part of a job.
 *
 * @example
 * jetStreamSource({ auth: { token: { env: 'NATS_TOKEN' } }, … })
 */
export type SecretReference = { readonly env: string } | { readonly file: string };
