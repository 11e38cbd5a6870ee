/** For the programs of this repository that run the queries, too. */

export { slotModule } from './commands/run-in-slots.js';
export { type SlotJob, slotJob } from './engine/slot-job.js';
export { type GeneratorOptions, generate } from './generator/generator.js';
export type { Event } from './model.js';
export { writeLines } from './ndjson-file.js';
export { queries } from './queries/queries.js';
export { describeDifference, differenceOf } from './row-set.js';
