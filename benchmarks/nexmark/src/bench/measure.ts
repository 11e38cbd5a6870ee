/** One way to do some work, to be compared with others. */
export interface Contender {
  readonly name: string;
  /** Does the work once and gives the number of rows that came out. */
  run(): Promise<number> | number;
}

/** How often to measure. */
export interface BenchOptions {
  /** Runs of each contender that count. */
  readonly rounds: number;
  /** Runs of each contender before: memory is touched and code compiled. */
  readonly warmups: number;
}

/** Medians over the rounds of one contender. */
export interface Measurement {
  readonly name: string;
  readonly rows: number;
  /** User and system time of all threads of the process. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

interface Sample {
  readonly rows: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

/**
 * Measures contenders in interleaved rounds in one process: each runs after all others, so shared
 * code has seen every use, and a slow spell of the machine touches them alike.
 */
export async function measure(
  contenders: readonly Contender[],
  { rounds, warmups }: BenchOptions,
): Promise<Measurement[]> {
  const samples = contenders.map((): Sample[] => []);
  for (let round = -warmups; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      const sample = await runOnce(contender);
      if (round >= 0) samples[i]!.push(sample);
    }
  }
  return contenders.map(({ name }, i) => {
    const own = samples[i]!;
    return {
      name,
      rows: own[0]?.rows ?? 0,
      cpuSeconds: median(own.map((sample) => sample.cpuSeconds)),
      wallSeconds: median(own.map((sample) => sample.wallSeconds)),
    };
  });
}

async function runOnce(contender: Contender): Promise<Sample> {
  const cpuBefore = process.cpuUsage();
  const wallBefore = performance.now();
  const rows = await contender.run();
  const wallSeconds = (performance.now() - wallBefore) / 1e3;
  const cpu = process.cpuUsage(cpuBefore);
  return { rows, cpuSeconds: (cpu.user + cpu.system) / 1e6, wallSeconds };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}
