import { checkpointBugs } from './checkpoint-bugs.js';
import { endsBugs } from './ends-bugs.js';
import { channelBugs, linkBugs } from './exchange-bugs.js';
import type { PlantedBug } from './planted-bug.js';
import { stateBugs } from './state-bugs.js';

/**
 * All ways to break the engine that the simulation has to notice. The rarest is among the first: the
 * search for it would go on alone when all others have ended.
 */
export const plantedBugs: readonly PlantedBug[] = [
  ...endsBugs,
  ...checkpointBugs,
  ...channelBugs,
  ...linkBugs,
  ...stateBugs,
];
