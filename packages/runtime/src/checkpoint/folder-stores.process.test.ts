import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpointStoreConformance, metaStoreConformance } from '@millrace/testing';
import { afterAll, describe, test } from 'vitest';
import { nodeEnv } from '../host/node-env.js';
import { folderStores } from './folder-stores.js';

const root = mkdtempSync(join(tmpdir(), 'millrace-stores-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const emptyFolder = (): string => mkdtempSync(join(root, 'case-'));

describe('the stores in a folder of this machine', () => {
  const records = async () => {
    const folder = emptyFolder();
    return () => folderStores(nodeEnv(), folder).meta;
  };
  for (const { name, run } of metaStoreConformance('records', records)) test(name, run);

  const blobs = async () => ({
    store: folderStores(nodeEnv(), emptyFolder()).checkpoints,
    other: folderStores(nodeEnv(), emptyFolder()).checkpoints,
  });
  for (const { name, run } of checkpointStoreConformance('blobs', blobs)) test(name, run);
});
