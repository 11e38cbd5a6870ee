import {
  defineJob,
  isJobDefinition,
  type JobBuilder,
  type JobParams,
  noWatermarks,
  type SourceOptions,
} from '@millrace/core';
import { map, sinkTo } from '@millrace/operators';
import { ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';

const wire = (job: JobBuilder, id = 'in'): void =>
  void job.source(id, new ManualSource<number>()).pipe(sinkTo('out', new RecordingSink()));

describe('params', () => {
  const job = defineJob(
    'j',
    { limit: 5, name: 'x', on: true, list: [1, 2], deep: { a: 1 }, any: null },
    (builder) => wire(builder),
  );
  const buildWith = (params: object) => () => job.build(params);

  test('are the defaults, overridden by name', () => {
    expect(job.build().graph.params).toEqual(job.params);
    expect(job.build({ limit: 6 }).graph.params).toEqual({ ...job.params, limit: 6 });
  });

  test.each<[string, object, string]>([
    ['a name that is not there', { limits: 6 }, 'has no param limits'],
    ['another type', { limit: '6' }, 'limit is string'],
    ['what is no JSON', { limit: Number.NaN }, 'params.limit is not JSON'],
    ['a date deep inside', { deep: { a: new Date(0) } }, 'params.deep.a is not JSON'],
    ['undefined in a list', { list: [undefined] }, 'params.list[0] is not JSON'],
    ['an object where there was a list', { list: { a: 1 } }, 'list is object'],
    ['a list where there was an object', { deep: [1] }, 'deep is array'],
    ['null where there was an object', { deep: null }, 'deep is null'],
  ])('%s is refused', (_name, params, text) => {
    expect(buildWith(params)).toThrow(/ERR_INVALID_PARAMS/);
    expect(buildWith(params)).toThrow(text);
  });

  test('a default of null takes anything', () => {
    expect(buildWith({ any: { a: [1] } })).not.toThrow();
  });
});

describe('a build that depends on more than its params', () => {
  const build = (define: (job: JobBuilder) => void) => () => defineJob('j', {}, define).build();
  let builds = 0;
  const nextId = (): string => {
    builds += 1;
    return `in${builds}`;
  };

  test.each<[string, string, (job: JobBuilder) => void]>([
    ['a counter outside', 'ERR_NONDETERMINISTIC_BUILD', (job) => wire(job, nextId())],
    [
      'new Date()',
      'ERR_FORBIDDEN_IN_BUILD',
      (job) => wire(job, `in${new Date().toISOString().length}`),
    ],
    ['Date()', 'ERR_FORBIDDEN_IN_BUILD', (job) => wire(job, `in${Date().length}`)],
    ['Date.now()', 'ERR_FORBIDDEN_IN_BUILD', (job) => wire(job, `in${Date.now()}`)],
    [
      'performance.now()',
      'ERR_FORBIDDEN_IN_BUILD',
      (job) => wire(job, `in${performance.now() | 0}`),
    ],
    ['Math.random()', 'ERR_FORBIDDEN_IN_BUILD', (job) => wire(job, `in${Math.random()}`)],
    ['an async function', 'ERR_FORBIDDEN_IN_BUILD', async (job: JobBuilder) => wire(job)],
  ])('%s', (_name, code, define) => {
    expect(build(define)).toThrow(code);
  });

  test('a fixed date is no clock', () => {
    expect(build((job) => wire(job, `in${new Date(0).getTime()}`))).not.toThrow();
  });

  test('clock and randomness are back afterwards, also when the build throws', () => {
    const before = [Date, Math.random, process.env, performance.now];
    expect(
      build(() => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect([Date, Math.random, process.env, performance.now]).toEqual(before);
  });

  test('streams cannot be used when the build is over, nor in another job', () => {
    let kept: ReturnType<JobBuilder['source']> | undefined;
    build((job) => {
      kept ??= job.source('in', new ManualSource());
      wire(job, 'b');
    });
    const job = defineJob('j', {}, (builder) => {
      kept = builder.source('in', new ManualSource());
      kept.pipe(sinkTo('out', new RecordingSink()));
    });
    job.build();
    expect(() => kept!.pipe(map((n) => n))).toThrow('ERR_FORBIDDEN_IN_BUILD');
  });
});

test('a source says that its records may be lost, as data of its node', () => {
  const nodeWith = (options: SourceOptions) =>
    defineJob('j', {}, (job) => {
      job
        .source('in', new ManualSource<number>(), noWatermarks(), options)
        .pipe(sinkTo('out', new RecordingSink()));
    }).build().graph.nodes[0];
  expect(nodeWith({ allowLoss: true })).toHaveProperty('allowLoss', true);
  expect(nodeWith({ allowLoss: false })).not.toHaveProperty('allowLoss');
  expect(nodeWith({})).not.toHaveProperty('allowLoss');
});

test.each(['', 'a b', '-a', 'a/b', 'x'.repeat(101)])('%j is no name for a job', (name) => {
  expect(() => defineJob(name, {}, (job) => wire(job))).toThrow('ERR_INVALID_ID');
});

test.each<[unknown, boolean]>([
  [defineJob('j', {}, (job) => wire(job)), true],
  [{ name: 'j', params: {} as JobParams, build: () => undefined }, false],
  [null, false],
  [wire, false],
])('isJobDefinition(%o) is %s', (value, expected) => {
  expect(isJobDefinition(value)).toBe(expected);
});
