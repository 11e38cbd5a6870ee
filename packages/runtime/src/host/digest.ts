import { createHash } from 'node:crypto';

/** A checksum that grows with what it is given. */
export interface Digest {
  update(bytes: Uint8Array): void;
  /** In hexadecimal; nothing can be added afterwards. */
  hex(): string;
}

export function sha256Digest(): Digest {
  const hash = createHash('sha256');
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    hex: () => hash.digest('hex'),
  };
}

/** In hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  const digest = sha256Digest();
  digest.update(bytes);
  return digest.hex();
}
