import { canonicalJson } from '@millrace/core/internal';
import type { Manifest } from '@millrace/runtime';
import type { Random } from '../random.js';

/** What somebody may do to a manifest with a text editor: it stays valid JSON of the same form. */
type Edit = (manifest: Manifest, random: Random) => unknown;

const edits: Readonly<Record<string, Edit>> = {
  'positions moved': (manifest, random) => ({
    ...manifest,
    sources: movedNumbers(manifest.sources, random.whole(1, 100)),
  }),
  'no positions': (manifest) => ({ ...manifest, sources: [] }),
  'other checkpoint id': (manifest, random) => ({
    ...manifest,
    checkpoint: manifest.checkpoint + random.whole(1, 5),
  }),
  'chain reversed': (manifest) => withChain(manifest, (chain) => chain.toReversed()),
  'chain shortened': (manifest) => withChain(manifest, (chain) => chain.slice(0, -1)),
  'chain doubled': (manifest) => withChain(manifest, (chain) => [...chain, ...chain]),
  'no chain': (manifest) => withChain(manifest, () => []),
  'checksums of other segments': (manifest) =>
    withChain(manifest, (chain) =>
      chain.map((ref, i) => ({ ...ref, sha256: chain[(i + 1) % chain.length]!.sha256 })),
    ),
  'names of other segments': (manifest) =>
    withChain(manifest, (chain) =>
      chain.map((ref, i) => ({ ...ref, blob: chain[(i + 1) % chain.length]!.blob })),
    ),
  'name that leads out': (manifest) =>
    withChain(manifest, (chain) => chain.map((ref) => ({ ...ref, blob: `../${ref.blob}` }))),
  'fewer key groups': (manifest) => ({
    ...manifest,
    tasks: manifest.tasks.map((task) => ({ ...task, keyGroups: { first: 0, last: 99 } })),
  }),
  'other number of key groups': (manifest) => ({ ...manifest, keyGroups: 64 }),
  'nothing prepared': (manifest) => ({ ...manifest, sinks: [] }),
  'prepared elsewhere': (manifest, random) => ({
    ...manifest,
    sinks: movedNumbers(manifest.sinks, random.whole(1, 100)),
  }),
  'no states': (manifest) => ({ ...manifest, states: [] }),
  'other lineage': (manifest) => ({ ...manifest, lineage: { id: 'mine' } }),
  'other job': (manifest) => ({ ...manifest, job: 'mine' }),
  'other format': (manifest) => ({ ...manifest, format: 2 }),
  'parts missing': ({ format, job, checkpoint }) => ({ format, job, checkpoint }),
  null: () => null,
  'no object': () => [1, 2],
};

/** Applies one of them, chosen at random. */
export function editManifest(
  bytes: Uint8Array,
  random: Random,
): { readonly what: string; readonly bytes: Uint8Array } {
  const names = Object.keys(edits);
  const what = names[random.whole(0, names.length - 1)]!;
  const manifest = JSON.parse(new TextDecoder().decode(bytes)) as Manifest;
  const edited = canonicalJson(edits[what]!(manifest, random));
  return { what, bytes: new TextEncoder().encode(edited) };
}

type Chain = Manifest['tasks'][number]['chain'];

function withChain(manifest: Manifest, change: (chain: Chain) => Chain): Manifest {
  const tasks = manifest.tasks.map((task) => ({ ...task, chain: change(task.chain) }));
  return { ...manifest, tasks };
}

function movedNumbers(value: unknown, by: number): unknown {
  const text = JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'number' ? part + by : part,
  );
  return JSON.parse(text) as unknown;
}
