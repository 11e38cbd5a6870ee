import { describe, expect, test } from 'vitest';
import type { LogicalEdge, LogicalGraph, LogicalNode, Partitioning } from './logical-graph.js';
import { assertValid, validate } from './validate.js';

const node = (id: string, own: Partial<LogicalNode> = {}): LogicalNode => ({
  id,
  kind: 'oneInput',
  operator: 'map',
  settings: {},
  state: {},
  timers: { event: [], processing: [] },
  sides: [],
  acceptsKinds: false,
  emitsKinds: false,
  onError: { action: 'fail' },
  ...own,
});
const source = node('in', { kind: 'source', operator: 'csv', sides: ['deadLetters'] });
const sink = (id = 'out', own: Partial<LogicalNode> = {}): LogicalNode =>
  node(id, { kind: 'sink', operator: 'console', ...own });

/** `a→b` or `a.side→b`; `key` for a keyed edge. */
function edge(text: string, kind: Partitioning['kind'] = 'forward'): LogicalEdge {
  const [left, to] = text.split('→') as [string, string];
  const [from, port = ''] = left.split('.') as [string, string?];
  return { id: text, from, port, to, input: 0, partitioning: { kind } };
}

const graph = (nodes: readonly LogicalNode[], edges: readonly LogicalEdge[]): LogicalGraph => ({
  format: 1,
  job: 'j',
  params: {},
  nodes,
  edges,
});

const changelog = { operator: 'latest', emitsKinds: true } as const;
const passing = { acceptsKinds: true, emitsKinds: 'same' } as const;
const state = { total: { kind: 'value', version: 1 } } as const;
const rules = { rules: { kind: 'broadcast', version: 1 } } as const;
const updates = (text: string): LogicalEdge => ({ ...edge(text, 'broadcast'), input: 1 });
const deadLetter = { onError: { action: 'deadLetter' }, sides: ['deadLetters'] } as const;
const through = [edge('in→x'), edge('x→out')];

describe('validate', () => {
  test.each<[string, readonly LogicalNode[], readonly LogicalEdge[], readonly string[]]>([
    ['a sound graph', [source, sink()], [edge('in→out')], []],
    ['no source', [sink()], [], ['ERR_NO_SOURCE j', 'ERR_UNREACHABLE_SINK out']],
    ['no sink', [source], [], ['ERR_NO_SINK j', 'warning ERR_UNREACHABLE_SINK in']],
    ['an id twice', [source, node('x'), node('x'), sink()], through, ['ERR_DUPLICATE_ID x']],
    [
      'an id twice, and nothing else that comes of it',
      [source, node('x', { kind: 'keyedOneInput' }), sink('x')],
      [edge('in→x', 'key'), edge('x→x')],
      ['ERR_DUPLICATE_ID x'],
    ],
    [
      'an edge to nowhere',
      [source, sink()],
      [edge('in→out'), edge('in→gone')],
      ['ERR_MISSING_ID gone'],
    ],
    [
      'a side output that is not there',
      [source, node('x'), sink()],
      [...through, edge('x.late→out')],
      ['ERR_MISSING_ID x'],
    ],
    [
      'a cycle',
      [source, node('a'), node('b'), sink()],
      [edge('in→a'), edge('a→b'), edge('b→a'), edge('b→out')],
      ['ERR_CYCLE a'],
    ],
    ['an edge to itself', [source, node('x'), sink()], [...through, edge('x→x')], ['ERR_CYCLE x']],
    [
      'a diamond is no cycle',
      [source, node('a'), node('b'), sink()],
      [edge('in→a'), edge('in→b'), edge('a→out'), edge('b→out')],
      [],
    ],
    [
      'a keyed operator without keyBy',
      [source, node('x', { kind: 'keyedOneInput' }), sink()],
      through,
      ['ERR_UNKEYED_STATE x'],
    ],
    [
      'a keyed operator',
      [source, node('x', { kind: 'keyedOneInput', state }), sink()],
      [edge('in→x', 'key'), edge('x→out')],
      [],
    ],
    [
      'two inputs of which one has no key',
      [source, node('x', { kind: 'keyedTwoInput', state }), sink()],
      [edge('in→x', 'key'), edge('in→x'), edge('x→out')],
      ['ERR_UNKEYED_STATE x'],
    ],
    [
      'broadcast state whose updates go to all subtasks',
      [source, node('x', { kind: 'keyedTwoInput', state: rules }), sink()],
      [edge('in→x', 'key'), updates('in→x'), edge('x→out')],
      [],
    ],
    [
      'the same without a key',
      [source, node('x', { kind: 'twoInput', state: rules }), sink()],
      [edge('in→x'), updates('in→x'), edge('x→out')],
      [],
    ],
    [
      'broadcast state whose updates go to one subtask each',
      [source, node('x', { kind: 'keyedTwoInput', state: rules }), sink()],
      [edge('in→x', 'key'), { ...edge('in→x'), input: 1 }, edge('x→out')],
      ['ERR_UNKEYED_STATE x', 'ERR_INVALID_OPTION x'],
    ],
    [
      'broadcast state that nothing updates',
      [source, node('x', { kind: 'keyedOneInput', state: rules }), sink()],
      [edge('in→x', 'key'), edge('x→out')],
      ['ERR_INVALID_OPTION x'],
    ],
    [
      'a second input without key, and no broadcast state',
      [source, node('x', { kind: 'keyedTwoInput', state }), sink()],
      [edge('in→x', 'key'), updates('in→x'), edge('x→out')],
      ['ERR_UNKEYED_STATE x'],
    ],
    [
      'state in an operator without key',
      [source, node('x', { state }), sink()],
      through,
      ['ERR_UNKEYED_STATE x'],
    ],
    [
      'a sink that nothing reaches',
      [source, sink(), sink('other')],
      [edge('in→out')],
      ['ERR_UNREACHABLE_SINK other'],
    ],
    [
      'an operator that reaches no sink',
      [source, node('x'), sink()],
      [edge('in→out'), edge('in→x')],
      ['warning ERR_UNREACHABLE_SINK x'],
    ],
    [
      'updates into an operator of inserts',
      [source, node('x', changelog), node('y'), sink()],
      [edge('in→x'), edge('x→y'), edge('y→out')],
      ['ERR_KINDS_NOT_ACCEPTED y'],
    ],
    [
      'updates through an operator that passes them on',
      [source, node('x', changelog), node('y', passing), sink()],
      [edge('in→x'), edge('x→y'), edge('y→out')],
      ['ERR_KINDS_NOT_ACCEPTED out'],
    ],
    [
      'updates into a sink that takes them',
      [source, node('x', changelog), sink('out', { acceptsKinds: true })],
      through,
      [],
    ],
    [
      'side outputs carry no updates',
      [
        source,
        node('x', { ...changelog, sides: ['late'] }),
        sink('out', { acceptsKinds: true }),
        sink('late'),
      ],
      [...through, edge('x.late→late')],
      [],
    ],
    [
      'inserts through an operator that passes kinds on',
      [source, node('x', passing), sink()],
      through,
      [],
    ],
    [
      'dead letters that nobody reads',
      [source, node('x', deadLetter), sink()],
      through,
      ['ERR_DEAD_LETTER_UNCONSUMED x'],
    ],
    [
      'dead letters that a sink reads',
      [source, node('x', deadLetter), sink()],
      [...through, edge('x.deadLetters→out')],
      [],
    ],
    [
      'dead letters as the last resort of retry',
      [
        source,
        node('x', { onError: { action: 'retry', attempts: 2, otherwise: 'deadLetter' } }),
        sink(),
      ],
      through,
      ['ERR_DEAD_LETTER_UNCONSUMED x'],
    ],
  ])('%s', (_name, nodes, edges, expected) => {
    const found = validate(graph(nodes, edges)).map(
      ({ severity, code, operator }) =>
        `${severity === 'warning' ? 'warning ' : ''}${code} ${operator}`,
    );
    expect(found).toEqual(expected);
  });

  test('all findings come at once; the first one’s code is thrown, with the others told', () => {
    const broken = graph([source, node('x', { state }), sink(), sink('other')], through);
    expect(() => assertValid(broken)).toThrow(
      /ERR_UNKEYED_STATE.*keeps keyed state.*also \[other\]/,
    );
  });

  test('a graph that has warnings only is run', () => {
    expect(() =>
      assertValid(graph([source, sink(), node('x')], [edge('in→out'), edge('in→x')])),
    ).not.toThrow();
  });
});
