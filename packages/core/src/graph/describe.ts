import type { LogicalEdge, LogicalGraph, LogicalNode } from './logical-graph.js';

export type DescribeFormat = 'text' | 'json' | 'mermaid';

/** The graph for people (`text`), programs (`json`) or a picture (`mermaid`). */
export function describe(graph: LogicalGraph, format: DescribeFormat = 'text'): string {
  if (format === 'json') return JSON.stringify(graph, undefined, 2);
  return format === 'mermaid' ? mermaid(graph) : text(graph);
}

function text(graph: LogicalGraph): string {
  const lines = [`job ${graph.job}`];
  for (const node of graph.nodes) {
    lines.push(`  ${node.id}  ${labelOf(node)}`);
    for (const edge of graph.edges.filter(({ to }) => to === node.id)) {
      lines.push(`    ← ${edge.from}${edge.port && `.${edge.port}`}${movement(edge)}`);
    }
  }
  return lines.join('\n');
}

function labelOf(node: LogicalNode): string {
  const settings = Object.entries(node.settings).map(([name, value]) =>
    typeof value === 'string' ? `${name} ${value}` : `${name} ${JSON.stringify(value)}`,
  );
  const state = Object.entries(node.state).map(([name, { kind }]) => `${name}: ${kind}`);
  const policy = node.onError.action === 'fail' ? [] : [`on error ${node.onError.action}`];
  const parts = [
    ...settings,
    ...(state.length === 0 ? [] : [`state {${state.join(', ')}}`]),
    ...policy,
  ];
  return parts.length === 0 ? node.operator : `${node.operator} (${parts.join(', ')})`;
}

function movement({ partitioning: { kind, projection } }: LogicalEdge): string {
  if (kind === 'forward') return '';
  const shipped =
    projection === undefined
      ? ''
      : `, ships ${['key', 'time', ...projection.inputs, ...(projection.values ? ['record'] : [])].join(' + ')}`;
  return `  [${kind}${shipped}]`;
}

const quoted = (label: string): string => `"${label.replaceAll('"', '#quot;')}"`;

function mermaid(graph: LogicalGraph): string {
  const names = new Map(graph.nodes.map(({ id }, index) => [id, `n${index}`]));
  const shape = (node: LogicalNode): string => {
    const label = quoted(`${node.id}<br/>${node.operator}`);
    if (node.kind === 'source') return `([${label}])`;
    return node.kind === 'sink' ? `[/${label}/]` : `[${label}]`;
  };
  const lines = ['flowchart LR'];
  for (const node of graph.nodes) lines.push(`  ${names.get(node.id)}${shape(node)}`);
  for (const { from, port, to, partitioning } of graph.edges) {
    const kind = partitioning.kind === 'forward' ? [] : [partitioning.kind];
    const label = [...(port === '' ? [] : [port]), ...kind].join(' · ');
    const arrow = label === '' ? '-->' : `-->|${quoted(label)}|`;
    lines.push(`  ${names.get(from)} ${arrow} ${names.get(to)}`);
  }
  return lines.join('\n');
}
