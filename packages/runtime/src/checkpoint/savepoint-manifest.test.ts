import { canonicalJson } from '@millrace/core/internal';
import { virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { manifestOf } from './checkpoint-folder.js';
import { folderStores } from './folder-stores.js';
import type { Manifest } from './manifest.js';
import { writeSavepointManifest } from './savepoint-manifest.js';

const manifest: Manifest = {
  format: 1,
  job: 'sums',
  checkpoint: 4,
  kind: 'savepoint',
  attempt: { number: 1, random: 'abc' },
  lineage: { id: 'first', parent: undefined },
  triggeredMs: 17,
  keyGroups: 256,
  fingerprint: 'f',
  states: [],
  tasks: [],
  sources: [{ operator: 'numbers', subtask: 0, snapshot: { next: 1_000 } }],
  sinks: [],
};

/** What is read after the file of a savepoint's manifest was changed. */
async function readAfter(change: (text: string) => string): Promise<Manifest> {
  const { storage, random } = virtualEnv();
  const { checkpoints } = folderStores({ storage, random }, '/savepoint');
  await writeSavepointManifest(checkpoints, 'manifest.json', manifest);
  const text = change(new TextDecoder().decode(await checkpoints.read('manifest.json')));
  await checkpoints.remove('manifest.json');
  const file = await storage.create('/savepoint/manifest.json');
  await file.write(new TextEncoder().encode(text), 0);
  return (await manifestOf({ storage, random }, '/savepoint')).manifest;
}

describe("a savepoint's manifest", () => {
  test('is read as it was written', async () => {
    expect(canonicalJson(await readAfter((text) => text))).toBe(canonicalJson(manifest));
  });

  test.each<[string, (text: string) => string]>([
    ['a position that was changed', (text) => text.replace('1000', '2000')],
    ['a name that was added', (text) => text.replace('{', '{"note":"mine",')],
    ['no checksum', (text) => text.replace(/"sha256":"[0-9a-f]+",/, '')],
    ['another layout', (text) => text.replace('{', '{ ')],
    ['half of it', (text) => text.slice(0, text.length / 2)],
    ['null', () => 'null'],
    ['a list', () => '[]'],
    ['nothing', () => ''],
  ])('is refused with %s', async (_, change) => {
    await expect(readAfter(change)).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_CORRUPT' });
  });
});
