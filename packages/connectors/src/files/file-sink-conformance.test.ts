import type { Sink } from '@millrace/core/spi';
import { SimulatedDisk, sinkConformance, virtualEnv } from '@millrace/testing';
import { describe, test } from 'vitest';
import { csvSink } from './csv-sink.js';
import { visibleFiles } from './file-sink-driver.js';
import { ndjsonSink } from './ndjson-sink.js';

const columns = ['n'] as const;
const layouts: readonly [string, Sink<never>][] = [
  ['a growing CSV file', csvSink({ path: '/out/rows.csv', columns })],
  ['a growing NDJSON file', ndjsonSink({ path: '/out/rows.ndjson' })],
  ['a folder of CSV parts', csvSink({ path: '/out/', columns })],
  ['a folder of NDJSON parts', ndjsonSink({ path: '/out/', layout: 'parts' })],
];

/** Numbers in lines such as `7` or `{"n":7}`; parts are read in the order of their checkpoints. */
async function numbersOn(disk: SimulatedDisk): Promise<readonly number[]> {
  const checkpointOf = (name: string): number => Number(name.split(/[-.]/)[2] ?? 0);
  return [...(await visibleFiles(disk, '/out'))]
    .sort(([a], [b]) => checkpointOf(a) - checkpointOf(b))
    .flatMap(([, text]) => text.match(/\d+/g) ?? [])
    .map(Number);
}

describe.each(layouts)('%s', (name, sink) => {
  const cases = sinkConformance(name, async () => {
    const disk = new SimulatedDisk();
    await disk.makeFolder('/out');
    let processes = 0;
    return {
      sink,
      record: (n) => ({ n }),
      visible: () => numbersOn(disk),
      env: (process) => {
        processes += 1;
        return virtualEnv({ storage: disk.process(process), seed: processes });
      },
    };
  });
  test.each(cases.map((each) => [each.name, each] as const))('%s', (_, each) => each.run());
});
