/** What pooling costs, and what it saves. */
import { compete, isAsked, type Bench, type Contestant, type Work } from '../bench.js';
import { Child } from '../child.js';
import type { Row } from '../row.js';
import type { PoolName } from '../subject/pool-cycles.js';
import type { RequestWay } from '../subject/requests.js';

const WAITERS = 1_000;
/** Against generic-pool, the fastest of the others in most runs. */
const LEAST: Readonly<Record<number, number>> = { 1: 3, [WAITERS]: 1.5 };
const POOLS: readonly PoolName[] = ['generic-pool', '@knsock/pool', 'tarn', 'lightning-pool'];

export const pool: Work = {
  name: 'pool',
  async run(bench) {
    return [
      ...(await cycles(bench, 1)),
      ...(await cycles(bench, WAITERS)),
      ...(await requests(bench, 'one request at a time', 1, ['one connection', 'pool'], 0.9)),
      ...(await requests(bench, '64 requests at once, a pool of 4', 64, ['a connection each', 'pool'], 3)),
    ];
  },
};

async function cycles(bench: Bench, callers: number): Promise<Row[]> {
  const work = `acquire and release, ${callers === 1 ? 'uncontended' : '1,000 waiters on 10'}`;
  if (!isAsked(bench, work)) return [];
  const children = POOLS.map((name) => Child.node('subject', 'subject/packages', name));
  const contestants = POOLS.map((name, index): Contestant => {
    const child = children[index]!;
    return {
      name,
      pid: child.pid,
      least: name === '@knsock/pool' ? LEAST[callers] : undefined,
      run: (ms) => child.ask({ do: 'cycle', pool: name, callers, ms }),
    };
  });
  const rows = await compete(bench, { work, unit: 'µs CPU each' }, contestants);
  for (const child of children) await child.end();
  return rows;
}

async function requests(
  bench: Bench,
  work: string,
  atOnce: number,
  ways: readonly RequestWay[],
  least: number,
): Promise<Row[]> {
  if (!isAsked(bench, work)) return [];
  const { files } = bench;
  const server = Child.node('load', 'subject/subject', 'the server');
  const serving = { do: 'serveOurs', files, framing: 'knsock', behaviour: 'serve' };
  const { port } = await server.ask<{ port: number }>(serving);
  const children = ways.map((way) => Child.node('subject', 'subject/packages', way));
  const contestants = ways.map((way, index): Contestant => {
    const child = children[index]!;
    const asking = { do: 'request', way, files, port, max: atOnce === 1 ? 1 : 4, atOnce };
    return {
      name: way,
      pid: child.pid,
      least: way === 'pool' ? least : undefined,
      run: (ms) => child.ask({ ...asking, ms }),
    };
  });
  const rows = await compete(bench, { work, unit: 'µs client CPU a request' }, contestants);
  for (const child of [...children, server]) await child.end();
  return rows;
}
