/** What a client that floods the server does to another's answers. */
import { isAsked, type Bench, type Work } from '../bench.js';
import { Child } from '../child.js';
import type { Row } from '../row.js';
import type { Latency } from '../load/latency.js';
import { spread } from '../statistics.js';

interface Server {
  readonly name: string;
  readonly framing: 'raw' | 'length-prefixed' | 'knsock';
  readonly serve: object;
}

const MOST_TIMES = 1.2;
const FLOOD_SIZES = [32, 65_536] as const;

const SERVERS: readonly Server[] = [
  { name: 'node:tls', framing: 'raw', serve: { do: 'serveBare', behaviour: 'echo' } },
  {
    name: 'length-prefixed',
    framing: 'length-prefixed',
    serve: { do: 'serveOurs', framing: 'length-prefixed', behaviour: 'onMessage' },
  },
  {
    name: 'knsock',
    framing: 'knsock',
    serve: { do: 'serveOurs', framing: 'knsock', behaviour: 'onMessage' },
  },
];

export const fairness: Work = {
  name: 'fairness',
  async run(bench) {
    const rows: Row[] = [];
    for (const server of SERVERS) rows.push(...(await measure(bench, server)));
    return rows;
  },
};

async function measure(bench: Bench, { name, framing, serve }: Server): Promise<Row[]> {
  const { files, load } = bench;
  if (!isAsked(bench, `a second client of ${name}`)) return [];
  const child = Child.node('subject', 'subject/subject', name);
  const flooder = Child.node('flood', 'load/load', 'the flooding client');
  const { port } = await child.ask<{ port: number }>({ ...serve, files });
  const reach = { do: 'connect', files, port, framing };
  await load.ask({ ...reach, key: 'patient' });
  const ask = (): Promise<Latency> => load.ask({ do: 'latency', key: 'patient', ms: bench.ms * 2 });
  await ask();
  const rounds: { alone: Latency; beside: Latency[] }[] = [];
  bench.tell(`fairness, ${name}`);
  for (let round = 0; round < bench.rounds; round += 1) {
    const alone = await ask();
    const beside: Latency[] = [];
    for (const size of FLOOD_SIZES) {
      await flooder.ask({ ...reach, key: 'flood' });
      await flooder.ask({ do: 'flood', key: 'flood', size });
      beside.push(await ask());
      await flooder.ask({ do: 'stopFlood', key: 'flood' });
    }
    rounds.push({ alone, beside });
  }
  await load.ask({ do: 'disconnect', key: 'patient' });
  await flooder.end();
  await child.end();
  return rowsOf(name, rounds);
}

function rowsOf(contestant: string, rounds: readonly { alone: Latency; beside: Latency[] }[]): Row[] {
  const row = (work: string, unit: string, values: number[], limited = false): Row => {
    const value = spread(values);
    const target = limited ? { text: `≤ ${MOST_TIMES.toFixed(2)}`, met: value.median <= MOST_TIMES } : null;
    return { work, contestant, unit, value, perSecond: null, waiting: null, ratio: null, target };
  };
  const rows = [
    row(
      'a second client, alone',
      'µs latency, median',
      rounds.map(({ alone }) => alone.median * 1_000),
    ),
  ];
  for (const [index, size] of FLOOD_SIZES.entries()) {
    const work = `a second client beside a flood of ${size.toLocaleString('en')} B messages`;
    const times = rounds.map(({ alone, beside }) => beside[index]!.median / alone.median);
    rows.push(row(work, 'times the median alone', times, contestant !== 'node:tls'));
    const worst = rounds.map(({ beside }) => beside[index]!.p99 * 1_000);
    rows.push(row(work, 'µs latency, 99th percentile', worst));
  }
  return rows;
}
