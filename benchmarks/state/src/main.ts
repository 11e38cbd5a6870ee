import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import {
  type ChildResult,
  type ChildTask,
  measureChild,
  monotonicMs,
  type Sample,
} from './child.js';

const usage = `Usage: bench:state [case …] [--seconds N] [--rounds N]

  cost      CPU an event, with a checkpoint each second against without: q5 and q11 at 100,000 keys
  typed     the same with 1 M keys of which half change: numbers by integers
  flat      … numbers by texts
  user      … values of the user's
  upload    what a checkpoint writes when 1 % of 1 M keys change
  larger    10 M keys on the level backend with 200 MiB for rows; q5 on the level backend
  restore   restoring 1 M keys, on both backends

All unless named. --seconds (31) of each measurement, --rounds (5) of each pair.`;

const self = fileURLToPath(import.meta.url);
const base: ChildTask = {
  workload: 'typed',
  keys: 100_000,
  hotShare: 1,
  backend: 'heap',
  checkpoints: 'on',
  warmUpSeconds: 3,
  seconds: 31,
};

/**
 * How long one of a pair runs before the other's turn: a little less than two seconds, so that two
 * checkpoints fall into each turn, one at its beginning and one a second later, and no third.
 */
const turnMs = 1_950;
/** Of a turn, that must have been measured for it to count. */
const wholeTurnShare = 0.9;

interface Settings {
  readonly seconds: number;
  readonly rounds: number;
}

const cases: Readonly<Record<string, (settings: Settings) => Promise<void>>> = {
  async cost(settings) {
    for (const workload of ['q5', 'q11'])
      await pair(`${workload}, 100,000 keys`, { workload }, settings);
  },
  typed: (settings) => dirty('typed', settings),
  flat: (settings) => dirty('flat', settings),
  user: (settings) => dirty('user', settings),
  async upload({ seconds }) {
    const task = { keys: 1_000_000, hotShare: 0.01, seconds: Math.min(10, seconds) };
    const { segmentBytes } = await inChild({ ...base, ...task, warmUpSeconds: 0 });
    const full = Math.max(...segmentBytes);
    const usual = median(segmentBytes.slice(-5));
    say(`upload: all keys ${mib(full)}, 1 % of them ${mib(usual)}: ${percent(usual / full)}`);
  },
  async larger({ seconds }) {
    const task = { workload: 'zipf', keys: 10_000_000, backend: 'level' } as const;
    const memory = { stateMemoryBytes: 200 << 20 };
    sayRate('10 M keys, Zipf(1), level', await inChild({ ...base, ...task, ...memory, seconds }));
    sayRate('q5, level', await inChild({ ...base, workload: 'q5', backend: 'level', seconds }));
  },
  async restore() {
    for (const backend of ['heap', 'level'] as const) {
      const task = { keys: 1_000_000, hotShare: 0.5, seconds: 3, restores: true, backend };
      const { restoreMs } = await inChild({ ...base, ...task });
      say(`restore of 1 M keys, ${backend}: ${ms(restoreMs!)}`);
    }
  },
};

const dirty = (workload: string, settings: Settings): Promise<void> =>
  pair(
    `${workload}, 1 M keys, half of them change`,
    { workload, keys: 1_000_000, hotShare: 0.5 },
    settings,
  );

/**
 * Measures with and without checkpoints in turns: of two processes one runs while the other is
 * stopped. A slow spell of the machine touches both alike, and neither takes the other's cache.
 */
async function pair(
  name: string,
  task: Partial<ChildTask>,
  { seconds, rounds }: Settings,
): Promise<void> {
  const all: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { without, taken, ratios } = await inTurns(
      { ...base, ...task, ...twice(seconds), checkpoints: 'off' },
      { ...base, ...task, ...twice(seconds), checkpoints: 'on' },
    );
    all.push(...ratios);
    const { batchMs, syncMs, checkpointMs } = taken;
    say(
      `${name}: ${rate(without)} without, ${rate(taken)} with ${taken.checkpoints} checkpoints ` +
        `(${ms(median(checkpointMs))} each): CPU an event × ${median(ratios).toFixed(3)}; ` +
        `batch p99 ${ms(batchMs.p99)} p99.9 ${ms(batchMs.p999)} max ${ms(batchMs.max)} ` +
        `(without: ${ms(without.batchMs.p99)} ${ms(without.batchMs.p999)} ` +
        `${ms(without.batchMs.max)}); chain stands still p50 ${ms(syncMs.p50)} p99 ${ms(syncMs.p99)}`,
    );
  }
  const sorted = [...all].sort((a, b) => a - b);
  const quartiles = [0.25, 0.75].map((q) => sorted[Math.floor(sorted.length * q)]!.toFixed(3));
  say(
    `${name}: CPU an event × ${median(all).toFixed(3)} ` +
      `(median of ${all.length} pairs of turns, half of them ${quartiles.join(' to ')})`,
  );
}

/** By the clock, which runs on in the one that is stopped. */
const twice = (seconds: number) => ({
  warmUpSeconds: 2 * base.warmUpSeconds,
  seconds: 2 * seconds,
});

async function inChild(task: ChildTask): Promise<ChildResult> {
  const { stdout } = await startChild(task);
  return JSON.parse(stdout) as ChildResult;
}

const startChild = (task: ChildTask) =>
  promisify(execFile)(process.execPath, [self, '--child', JSON.stringify(task)], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });

interface Turns {
  readonly without: ChildResult;
  readonly taken: ChildResult;
  /** CPU an event with checkpoints over that without, of each turn and the one after it. */
  readonly ratios: readonly number[];
}

/** Both at the same time, of which one at a time runs; clocks run on in the other. */
async function inTurns(withoutTask: ChildTask, takenTask: ChildTask): Promise<Turns> {
  const [first, second] = [startChild(withoutTask), startChild(takenTask)];
  const begunMs: number[] = [];
  const timer = setInterval(() => {
    const isFirst = begunMs.length % 2 === 0;
    (isFirst ? second : first).child.kill('SIGSTOP');
    (isFirst ? first : second).child.kill('SIGCONT');
    begunMs.push(monotonicMs());
  }, turnMs);
  const resultOf = async (running: typeof first): Promise<ChildResult> => {
    const { stdout } = await running;
    clearInterval(timer);
    for (const { child } of [first, second]) child.kill('SIGCONT');
    return JSON.parse(stdout) as ChildResult;
  };
  const [without, taken] = await Promise.all([resultOf(first), resultOf(second)]);
  const costs = begunMs.map((fromMs, turn) =>
    turnCost((turn % 2 === 0 ? without : taken).samples, fromMs, fromMs + turnMs),
  );
  const ratios = costs.flatMap((cost, turn) => {
    const next = costs[turn + 1];
    if (cost === undefined || next === undefined) return [];
    return [turn % 2 === 0 ? next / cost : cost / next];
  });
  return { without, taken, ratios };
}

/** CPU an event in a turn; undefined where it was not measured from its beginning to its end. */
function turnCost(samples: readonly Sample[], fromMs: number, toMs: number): number | undefined {
  const own = samples.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  const [first, last] = [own[0], own.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  if (last.atMs - first.atMs < turnMs * wholeTurnShare) return undefined;
  return (last.cpuMs - first.cpuMs) / (last.events - first.events);
}

function sayRate(name: string, result: ChildResult): void {
  const { rssMiBMax, checkpoints, checkpointMs } = result;
  say(
    `${name}: ${rate(result)}, RSS ${rssMiBMax.toFixed(0)} MiB at most, ` +
      `${checkpoints} checkpoints (${ms(median(checkpointMs))} each)`,
  );
}

const rate = ({ cpuSeconds, events }: ChildResult): string =>
  `${(events / cpuSeconds / 1e6).toFixed(2)} M/CPU-s`;
const ms = (value: number): string => `${value.toFixed(2)} ms`;
const mib = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(2)} MiB`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function say(text: string): void {
  console.log(text);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    child: { type: 'string' },
    seconds: { type: 'string', default: '31' },
    rounds: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => cases[name] === undefined);
if (values.child !== undefined) {
  const result = await measureChild(JSON.parse(values.child) as ChildTask);
  process.stdout.write(JSON.stringify(result), () => process.exit());
} else if (values.help || unknown.length > 0) {
  say(usage);
  process.exitCode = values.help ? 0 : 2;
} else {
  const settings = { seconds: Number(values.seconds), rounds: Number(values.rounds) };
  for (const name of positionals.length > 0 ? positionals : Object.keys(cases)) {
    await cases[name]!(settings);
  }
}
