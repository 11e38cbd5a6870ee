import type { ErrorCode } from '../errors/codes.js';
import { MillraceError } from '../errors/millrace-error.js';
import { usesDeadLetters } from './builder.js';
import type { LogicalEdge, LogicalGraph, LogicalNode } from './logical-graph.js';

/** One finding about a graph. */
export interface Diagnostic {
  /** A graph with errors is not run; a warning is printed. */
  readonly severity: 'error' | 'warning';
  readonly code: ErrorCode;
  readonly operator: string;
  readonly message: string;
}

interface Facts {
  readonly graph: LogicalGraph;
  readonly nodes: ReadonlyMap<string, LogicalNode>;
  readonly into: ReadonlyMap<string, readonly LogicalEdge[]>;
  readonly outOf: ReadonlyMap<string, readonly LogicalEdge[]>;
}

/** All that is wrong with a graph, at once. An empty list: it can be planned. */
export function validate(graph: LogicalGraph): readonly Diagnostic[] {
  const facts: Facts = {
    graph,
    nodes: new Map(graph.nodes.map((node) => [node.id, node])),
    into: edgesBy(graph.edges, 'to'),
    outOf: edgesBy(graph.edges, 'from'),
  };
  const duplicates = duplicateIds(facts);
  // Edges go by id: of operators that share one, nothing else that is found would be true.
  if (duplicates.length > 0) return duplicates;
  return [
    ...endpoints(facts),
    ...cycles(facts),
    ...unkeyedState(facts),
    ...broadcastState(facts),
    ...unreachable(facts),
    ...kinds(facts),
    ...deadLetters(facts),
  ];
}

/** What is to be printed where a job is shown or begins: it runs, and may not do what is meant. */
export const warningsOf = (graph: LogicalGraph): readonly Diagnostic[] =>
  validate(graph).filter(({ severity }) => severity === 'warning');

/**
 * Throws the first error of {@link validate}, with all others in its detail.
 *
 * @throws MillraceError with the code of the first finding
 */
export function assertValid(graph: LogicalGraph): void {
  const errors = validate(graph).filter(({ severity }) => severity === 'error');
  const [first, ...others] = errors;
  if (first === undefined) return;
  const more = others.map(({ operator, message }) => `; also [${operator}] ${message}`).join('');
  throw new MillraceError(first.code, first.message + more, {
    operator: first.operator,
    job: graph.job,
  });
}

const error = (code: ErrorCode, operator: string, message: string): Diagnostic => ({
  severity: 'error',
  code,
  operator,
  message,
});

function edgesBy(edges: readonly LogicalEdge[], end: 'from' | 'to'): Map<string, LogicalEdge[]> {
  const by = new Map<string, LogicalEdge[]>();
  for (const edge of edges) {
    const list = by.get(edge[end]);
    if (list === undefined) by.set(edge[end], [edge]);
    else list.push(edge);
  }
  return by;
}

function duplicateIds({ graph }: Facts): Diagnostic[] {
  const seen = new Map<string, string>();
  const found: Diagnostic[] = [];
  for (const { id, operator } of graph.nodes) {
    const first = seen.get(id);
    if (first === undefined) seen.set(id, operator);
    else found.push(error('ERR_DUPLICATE_ID', id, `a ${first} and a ${operator} are both '${id}'`));
  }
  return found;
}

function endpoints({ graph, nodes }: Facts): Diagnostic[] {
  const found: Diagnostic[] = [];
  if (!graph.nodes.some(({ kind }) => kind === 'source')) {
    found.push(error('ERR_NO_SOURCE', graph.job, 'the job has no source'));
  }
  if (!graph.nodes.some(({ kind }) => kind === 'sink')) {
    found.push(error('ERR_NO_SINK', graph.job, 'nothing the job computes reaches a sink'));
  }
  for (const { id, from, port, to } of graph.edges) {
    const sides = nodes.get(from)?.sides ?? [];
    if (port !== '' && nodes.has(from) && !sides.includes(port)) {
      found.push(error('ERR_MISSING_ID', from, `edge ${id} leaves by ${port}, which it has not`));
    }
    for (const end of [from, to]) {
      if (!nodes.has(end)) found.push(error('ERR_MISSING_ID', end, `edge ${id} ends nowhere`));
    }
  }
  return found;
}

function cycles({ graph, into, outOf }: Facts): Diagnostic[] {
  const waiting = new Map(graph.nodes.map(({ id }) => [id, into.get(id)?.length ?? 0]));
  const ready = [...waiting].filter(([, inputs]) => inputs === 0).map(([id]) => id);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    waiting.delete(id);
    for (const { to } of outOf.get(id) ?? []) {
      const left = (waiting.get(to) ?? 0) - 1;
      if (waiting.has(to)) waiting.set(to, left);
      if (left === 0) ready.push(to);
    }
  }
  const [first] = waiting.keys();
  if (first === undefined) return [];
  const members = [...waiting.keys()].join(', ');
  return [error('ERR_CYCLE', first, `operators that wait for one another: ${members}`)];
}

function unkeyedState({ graph, into }: Facts): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const node of graph.nodes) {
    const keyed = node.kind === 'keyedOneInput' || node.kind === 'keyedTwoInput';
    const keyedInputs = (into.get(node.id) ?? []).every(
      (edge) => edge.partitioning.kind === 'key' || isOfUpdates(node, edge),
    );
    const keepsState = Object.values(node.state).some(
      ({ kind }) => kind !== 'operatorList' && kind !== 'broadcast',
    );
    if (keyed && !keyedInputs) {
      found.push(
        error('ERR_UNKEYED_STATE', node.id, `${node.operator} needs keyBy ahead of each input`),
      );
    } else if (!keyed && keepsState) {
      found.push(
        error('ERR_UNKEYED_STATE', node.id, `${node.operator} keeps keyed state and has no key`),
      );
    }
  }
  return found;
}

const keepsBroadcastState = ({ state }: LogicalNode): boolean =>
  Object.values(state).some(({ kind }) => kind === 'broadcast');

/** Updates of broadcast state come without a key: they go to every subtask. */
const isOfUpdates = (node: LogicalNode, { input, partitioning }: LogicalEdge): boolean =>
  input === 1 && partitioning.kind === 'broadcast' && keepsBroadcastState(node);

/** The copies of broadcast state are the same only where all subtasks get what changes it. */
function broadcastState({ graph, into }: Facts): Diagnostic[] {
  return graph.nodes
    .filter(keepsBroadcastState)
    .filter((node) => !(into.get(node.id) ?? []).some((edge) => isOfUpdates(node, edge)))
    .map(({ id, operator }) =>
      error(
        'ERR_INVALID_OPTION',
        id,
        `${operator} declares broadcast state and has no input of updates: use connectBroadcast`,
      ),
    );
}

function reach(start: readonly string[], next: (id: string) => readonly string[]): Set<string> {
  const reached = new Set(start);
  const open = [...start];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const other of next(id)) {
      if (!reached.has(other)) {
        reached.add(other);
        open.push(other);
      }
    }
  }
  return reached;
}

function unreachable({ graph, into, outOf }: Facts): Diagnostic[] {
  const ids = (kind: string): string[] =>
    graph.nodes.filter((node) => node.kind === kind).map(({ id }) => id);
  const fed = reach(ids('source'), (id) => (outOf.get(id) ?? []).map(({ to }) => to));
  const used = reach(ids('sink'), (id) => (into.get(id) ?? []).map(({ from }) => from));
  const found: Diagnostic[] = [];
  for (const { id, kind, operator } of graph.nodes) {
    if (!fed.has(id)) {
      const what = kind === 'sink' ? 'sink' : operator;
      found.push(error('ERR_UNREACHABLE_SINK', id, `no source leads to this ${what}`));
    } else if (!used.has(id)) {
      found.push({
        ...error('ERR_UNREACHABLE_SINK', id, `what this ${operator} gives reaches no sink`),
        severity: 'warning',
      });
    }
  }
  return found;
}

function kinds({ graph, nodes, into }: Facts): Diagnostic[] {
  const carriesKinds = new Map<string, boolean>();
  const found: Diagnostic[] = [];
  for (const node of graph.nodes) {
    const upstream = (into.get(node.id) ?? []).filter(
      ({ from, port }) => port === '' && carriesKinds.get(from) === true,
    );
    carriesKinds.set(node.id, node.emitsKinds === 'same' ? upstream.length > 0 : node.emitsKinds);
    const [first] = upstream;
    if (first === undefined || node.acceptsKinds) continue;
    const from = nodes.get(first.from)?.operator ?? '';
    found.push(
      error(
        'ERR_KINDS_NOT_ACCEPTED',
        node.id,
        `${from} '${first.from}' gives updates and deletes, ${node.operator} takes inserts only`,
      ),
    );
  }
  return found;
}

function deadLetters({ graph, outOf }: Facts): Diagnostic[] {
  return graph.nodes
    .filter(({ onError }) => usesDeadLetters(onError))
    .filter(({ id }) => !(outOf.get(id) ?? []).some(({ port }) => port === 'deadLetters'))
    .map(({ id }) =>
      error('ERR_DEAD_LETTER_UNCONSUMED', id, 'nothing consumes its side output deadLetters'),
    );
}
