/** Metrics of a proxy, in Prometheus' text format. */
import type { TargetState } from './targets.js';
import type { TunnelCounts } from './tunnels.js';

type Sample = readonly [labels: string, value: number];

export function proxyMetrics(
  { open, total, broken, unreached }: TunnelCounts,
  targets: readonly TargetState[],
): string {
  const each = (pick: (state: TargetState) => number): Sample[] =>
    targets.map((state) => [`{target="${escaped(state.target)}"}`, pick(state)]);
  return [
    metric('connections_open', 'gauge', 'Connections carried now.', [['', open]]),
    metric('connections_total', 'counter', 'Connections carried so far.', [['', total]]),
    metric('connections_broken_total', 'counter', 'Connections that one side broke off.', [['', broken]]),
    metric('connections_unreached_total', 'counter', 'Connections for which no target could be reached.', [
      ['', unreached],
    ]),
    metric(
      'target_up',
      'gauge',
      'Whether the target answered when it was last asked.',
      each(({ up }) => (up ? 1 : 0)),
    ),
    metric(
      'target_connections',
      'gauge',
      'Connections to the target now.',
      each(({ connections }) => connections),
    ),
    metric(
      'target_reached_total',
      'counter',
      'Connections to the target so far.',
      each(({ reached }) => reached),
    ),
    metric(
      'target_failures_total',
      'counter',
      'Attempts to reach the target that failed.',
      each(({ failures }) => failures),
    ),
  ].join('');
}

function metric(name: string, type: 'gauge' | 'counter', help: string, samples: readonly Sample[]): string {
  const full = `knsock_proxy_${name}`;
  const lines = samples.map(([labels, value]) => `${full}${labels} ${value}\n`).join('');
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines}`;
}

function escaped(label: string): string {
  return label.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}
