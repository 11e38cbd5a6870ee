import type { DiskOperation } from '../simulated-disk.js';
import { loseOnLink, stallLink } from './link-faults.js';
import { checkpointFolder, type Scene } from './scene.js';
import type { SeededRandom } from './seeded-random.js';

/** A way in which the world is unkind. To add one, add it to the table below. */
export interface FaultKind {
  /**
   * Arranges for the fault to happen, again and again, until `scene.faultsEndMs`.
   *
   * @param meanMs typical virtual time between two, ms
   */
  arm(scene: Scene, random: SeededRandom, meanMs: number): void;
}

/** Calls `act` at random times until faults end. */
function repeatedly(
  scene: Scene,
  random: SeededRandom,
  meanMs: number,
  what: { readonly label: string; readonly act: () => void },
): void {
  const delayMs = -Math.log(1 - random.next()) * meanMs;
  if (scene.world.nowMs + delayMs > scene.faultsEndMs) return;
  scene.world.after(what.label, delayMs, () => {
    what.act();
    repeatedly(scene, random, meanMs, what);
  });
}

const simple =
  (label: string, act: (scene: Scene, random: SeededRandom) => void): FaultKind['arm'] =>
  (scene, random, meanMs) =>
    repeatedly(scene, random, meanMs, { label, act: () => act(scene, random) });

const changing: readonly DiskOperation[] = ['create', 'write', 'link', 'makeFolder', 'rename'];
const anyOperation: readonly DiskOperation[] = [
  ...changing,
  'open',
  'read',
  'size',
  'list',
  'remove',
  'syncFolder',
  'sync',
  'close',
];

export const faultKinds = {
  kill: {
    arm: simple('kill', (scene) => {
      if (scene.kill()) scene.noteEffect('kill');
    }),
  },
  /** At a step of an operation of the disk: commits are short, and seldom hit by the clock. */
  killAtStep: {
    arm: simple('kill at a step', (scene, random) => {
      const operation = random.pick(anyOperation);
      const when = random.pick(['before', 'after'] as const);
      let left = random.whole(0, 3);
      const { diskLatency } = scene.world;
      const stop = diskLatency.onStep((step) => {
        if (step.operation !== operation || step.when !== when || left-- > 0) return undefined;
        stop();
        if (scene.current?.process.name !== step.process || !scene.kill()) return undefined;
        scene.noteEffect('killAtStep');
        return new Promise<void>(() => undefined);
      });
    }),
  },
  powerCut: {
    arm: simple('power cut', (scene, random) => {
      if (scene.current !== undefined) scene.noteEffect('powerCut');
      scene.powerCut(random);
    }),
  },
  pause: {
    arm: simple('pause', (scene, random) => {
      const job = scene.current;
      if (job === undefined || job.process.life !== 'running') return;
      scene.noteEffect('pause');
      job.process.pause();
      scene.world.after('go on', random.spread(5, 2_000), () => job.process.resume());
      // Somebody believes that it is dead.
      if (random.chance(0.4)) scene.startSoon();
    }),
  },
  slowDisk: {
    arm: simple('slow disk', (scene, random) => {
      const { diskLatency } = scene.world;
      scene.noteEffect('slowDisk');
      diskLatency.slowness = random.spread(5, 300);
      scene.world.after('fast disk', random.spread(10, 1_000), () => {
        diskLatency.slowness = 1;
      });
    }),
  },
  diskFull: {
    arm: simple('disk full', (scene, random) => {
      const heal = scene.diskFaults.add({
        code: 'ERR_STORAGE_FULL',
        operations: changing,
        when: 'before',
        times: Number.POSITIVE_INFINITY,
        onHit: () => scene.noteEffect('diskFull'),
      });
      scene.world.after('space again', random.spread(5, 1_000), heal);
    }),
  },
  ioError: {
    arm: simple('I/O error', (scene, random) => {
      scene.diskFaults.add({
        code: 'ERR_STORAGE_FAILED',
        operations: random.chance(0.5) ? anyOperation : [random.pick(anyOperation)],
        when: random.pick(['before', 'after']),
        times: random.whole(1, 3),
        onHit: () => scene.noteEffect('ioError'),
      });
    }),
  },
  bitFlip: {
    arm: simple('bit flip', (scene, random) => {
      void flipBit(scene, random);
    }),
  },
  userThrows: {
    arm(scene, random, meanMs) {
      const thrown = new Set<number>();
      let isDue = false;
      scene.onRecord = ({ id }) => {
        // The same record again and again would be poison.
        if (!isDue || thrown.has(id)) return;
        isDue = false;
        thrown.add(id);
        scene.noteEffect('userThrows');
        throw new RangeError(`record ${id} is unlucky`);
      };
      const act = (): void => {
        isDue = true;
      };
      repeatedly(scene, random, meanMs, { label: 'bad luck', act });
    },
  },
  savepoint: {
    arm: simple('savepoint', (scene, random) => {
      const job = scene.current;
      if (job === undefined) return;
      scene.noteEffect('savepoint');
      const name = nameOf(random);
      scene.request(job, `savepoint ${name}`, job.handle.savepoint(name));
    }),
  },
  stopWithSavepoint: {
    arm: simple('stop with savepoint', (scene, random) => {
      const job = scene.current;
      if (job === undefined) return;
      scene.noteEffect('stopWithSavepoint');
      const name = nameOf(random);
      const folder = `${checkpointFolder}/savepoints/${name}`;
      const isUsed = random.chance(0.7);
      const taken = job.handle.stopWithSavepoint(name);
      scene.request(job, `stop with savepoint ${name}`, taken, ({ checkpoint }) =>
        scene.startSoon(isUsed ? { folder, checkpoint } : undefined),
      );
    }),
  },
  cancel: {
    arm: simple('cancel', (scene) => {
      const job = scene.current;
      if (job === undefined) return;
      scene.noteEffect('cancel');
      scene.request(job, 'cancel', job.handle.cancel());
    }),
  },
  /** Datagrams between slots are lost, repeated, damaged, late; as long as links can live with. */
  linkLoss: { arm: simple('link loss', loseOnLink) },
  /** A partition between slots that lasts until a link gives up, and the attempt with it. */
  stalledLink: { arm: simple('partition', stallLink) },
  clockJump: {
    arm: simple('clock jump', (scene, random) => {
      const job = scene.current;
      if (job === undefined) return;
      scene.noteEffect('clockJump');
      job.process.wallClockMs += (random.next() - 0.5) * random.spread(10, 100_000);
    }),
  },
} as const satisfies Readonly<Record<string, FaultKind>>;

export type FaultName = keyof typeof faultKinds;

export const faultNames = Object.keys(faultKinds) as readonly FaultName[];

const nameOf = (random: SeededRandom): string => `s${random.whole(0, 1e9)}`;

/** Damages a stored blob, and has the job restored before it hides the blob by newer ones. */
async function flipBit(scene: Scene, random: SeededRandom): Promise<void> {
  const { disk } = scene.world;
  const observer = disk.process('observer');
  const folder = `${checkpointFolder}/${random.pick(['segments', 'manifests', 'channels'])}`;
  const names = await observer.list(folder);
  if (names.length === 0) return;
  const path = `${folder}/${random.pick(names)}`;
  const bytes = (await observer.size(path)) ?? 0;
  if (bytes === 0) return;
  disk.damage(path, random.whole(0, bytes - 1));
  scene.isDamaged = true;
  scene.noteEffect('bitFlip');
  scene.kill();
}
