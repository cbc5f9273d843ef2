/** A server's counters in Prometheus' text format; names of nested counters become labels. */

interface Metric {
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** The label that distinguishes nested numbers. */
  readonly label?: string;
}

const metrics: Readonly<Record<string, Metric>> = {
  connections: { type: 'gauge', help: 'Connections open now.' },
  pendingHandshakes: { type: 'gauge', help: 'Sockets whose handshake is under way.' },
  accepted: { type: 'counter', help: 'Sockets accepted.' },
  admitted: { type: 'counter', help: 'Peers admitted.' },
  refusedSockets: { type: 'counter', help: 'Sockets refused before their handshake.', label: 'reason' },
  failedHandshakes: { type: 'counter', help: 'Handshakes that failed, timed out or were broken off.' },
  refusedPeers: { type: 'counter', help: 'Peers refused after their handshake.' },
  validations: { type: 'counter', help: 'Validations of an ACME server that were answered (tls-alpn-01).' },
  rotations: { type: 'counter', help: 'Replacements of credentials or rules.' },
  acceptErrors: { type: 'counter', help: 'Errors met while accepting.' },
  messages: { type: 'counter', help: 'Messages, requests and answers included.', label: 'direction' },
  bytes: { type: 'counter', help: 'Bytes of TLS payload.', label: 'direction' },
  requests: { type: 'counter', help: 'Requests of clients that were handled.', label: 'result' },
  certificatesExpireAt: { type: 'gauge', help: 'When the first certificate expires, as seconds since 1970.' },
};

/** Dates are seconds since 1970. */
export function prometheusOf(stats: object): string {
  return Object.entries(stats)
    .map(([name, value]: [string, unknown]) => metric(name, value))
    .join('');
}

function metric(key: string, value: unknown): string {
  const { type, help, label = 'kind' } = metrics[key] ?? { type: 'counter', help: `${words(key)}.` };
  const unit = value instanceof Date ? '_seconds' : '';
  const name = `knsock_server_${snake(key)}${unit}${type === 'counter' ? '_total' : ''}`;
  const samples = samplesOf(value, label);
  if (samples.length === 0) return '';
  const lines = samples.map(([labels, sample]) => `${name}${labels} ${sample}\n`).join('');
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines}`;
}

function samplesOf(value: unknown, label: string): readonly (readonly [labels: string, value: number])[] {
  if (value instanceof Date) return [['', value.getTime() / 1_000]];
  if (typeof value === 'number') return [['', value]];
  return Object.entries(value ?? {}).flatMap(([key, sample]: [string, unknown]) =>
    typeof sample === 'number' ? [[`{${label}="${snake(key)}"}`, sample] as const] : [],
  );
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function words(name: string): string {
  const text = snake(name).replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
