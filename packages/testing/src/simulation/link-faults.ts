import type { LossyTransport, LossyTransportCounts } from '../lossy-transport.js';
import type { Scene } from './scene.js';
import type { SeededRandom } from './seeded-random.js';
import type { WorldLinks } from './world-links.js';

/** Has the network between two slots lose something for a time, in one of several ways. */
export function loseOnLink(scene: Scene, random: SeededRandom): void {
  const { links, current } = scene;
  if (links === undefined || current === undefined) return;
  const pair = pairOf(links.placesOf(current.process), random);
  if (pair === undefined) return;
  const before = harmOf(links.hub.counts);
  const heal = random.pick(waysToLose)(links, pair, random);
  scene.world.after('link heals', random.spread(5, 2_000), () => {
    heal();
    if (harmOf(links.hub.counts) > before) scene.noteEffect('linkLoss');
  });
}

/** Cuts two slots off one another until a link between them gives up. */
export function stallLink(scene: Scene, random: SeededRandom): void {
  const { links, current } = scene;
  if (links === undefined || current === undefined) return;
  const pair = pairOf(links.placesOf(current.process), random);
  if (pair === undefined) return;
  const heal = partition(links, pair);
  scene.world.after('partition heals', links.stallMs * random.spread(1.02, 1.5), heal);
}

type Pair = readonly [LossyTransport, LossyTransport];

function pairOf(places: readonly LossyTransport[], random: SeededRandom): Pair | undefined {
  if (places.length < 2) return undefined;
  const one = random.pick(places);
  return [one, random.pick(places.filter((place) => place !== one))];
}

/** Each does its harm, and gives what takes it back. */
const waysToLose: readonly ((links: WorldLinks, pair: Pair, random: SeededRandom) => () => void)[] =
  [
    ({ hub }, [one, other], random) => {
      const share = (): number => (random.chance(0.5) ? random.spread(0.01, 0.4) : 0);
      hub.changeBetween(one.place, other.place, {
        dropShare: share(),
        duplicateShare: share(),
        flipShare: share(),
        delayMs: [0.01, random.spread(0.1, 100)],
        order: random.pick(['kept', 'any']),
      });
      return () => hub.changeBetween(one.place, other.place, {});
    },
    partition,
    (_links, [one]) => {
      one.disconnect();
      return () => one.reconnect();
    },
  ];

function partition({ hub }: WorldLinks, [one, other]: Pair): () => void {
  hub.partition(one.place, other.place);
  return () => hub.heal(one.place, other.place);
}

const harmOf = ({ lost, duplicated, flipped }: LossyTransportCounts): number =>
  lost + duplicated + flipped;
