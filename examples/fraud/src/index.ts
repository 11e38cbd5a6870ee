/** For the programs of this repository that run the job, too. */

export { fraudJob } from './job.js';
export { CSV_HEADER, csvLine } from './model/csv.js';
export { type SimulationOptions, simulateDays } from './model/simulate.js';
export { Tally, tallySink } from './tally.js';
