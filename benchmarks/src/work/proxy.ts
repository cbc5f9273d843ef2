/** Proxies from TLS to plain: what a MiB costs each way, and what a connection that says nothing holds. */
import { compete, isAsked, type Bench, type Contestant, type Work } from '../bench.js';
import type { Peer } from '../peers.js';
import { proxies, type ProxyStart } from '../proxies.js';
import { memoryRow, type Row } from '../row.js';
import { residentBytes } from '../usage.js';

const LEAST = 0.95;
const MOST_TIMES_MEMORY = 1.1;
const OURS = 'knsock proxy';

export const proxy: Work = {
  name: 'proxy',
  async run(bench) {
    return [
      ...(await throughput(bench, 'receives')),
      ...(await throughput(bench, 'sends')),
      ...(await memory(bench)),
    ];
  },
};

interface Running extends Peer {
  readonly name: string;
}

async function throughput(bench: Bench, role: 'sends' | 'receives'): Promise<Row[]> {
  const work = `through a proxy, the target ${role}`;
  if (!isAsked(bench, work)) return [];
  const running = await startAll(bench, proxies, role);
  const contestants: Contestant[] = [];
  for (const { name, child, port } of running) {
    const key = `${name} ${role}`;
    await bench.load.ask({ do: 'connect', key, port, framing: 'raw', files: bench.files });
    const request = { do: role === 'receives' ? 'blast' : 'sink', key };
    const least = name === OURS ? LEAST : undefined;
    contestants.push({ name, pid: child.pid, least, run: (ms) => bench.load.ask({ ...request, ms }) });
  }
  const rows = await compete(bench, { work, unit: 'µs CPU of the proxy a MiB' }, contestants);
  for (const { name } of running) await bench.load.ask({ do: 'disconnect', key: `${name} ${role}` });
  for (const { child } of running) await child.end();
  return rows;
}

async function memory(bench: Bench): Promise<Row[]> {
  const count = bench.quick ? 100 : 2_000;
  const work = `${count.toLocaleString('en')} idle connections through a proxy`;
  if (!isAsked(bench, work)) return [];
  bench.tell(work);
  const measured: { name: string; kib: number }[] = [];
  // socat has a process for each connection, which shares most of its memory with the others.
  const others = proxies.filter(({ name }) => name !== 'socat');
  for (const running of await startAll(bench, others, 'receives'))
    measured.push(await held(bench, running, count));
  const [base] = measured;
  return measured.map(({ name, kib }) =>
    memoryRow(
      { work, contestant: name, unit: 'KiB resident a connection' },
      kib,
      name === OURS ? (base?.kib ?? NaN) * MOST_TIMES_MEMORY : null,
    ),
  );
}

async function held(
  { load, files }: Bench,
  { name, child, port }: Running,
  count: number,
): Promise<{ name: string; kib: number }> {
  await load.ask({ do: 'gather', files, port, framing: 'raw', count: Math.ceil(count / 10) });
  const before = residentBytes(child.pid);
  await load.ask({ do: 'gather', files, port, framing: 'raw', count });
  const kib = (residentBytes(child.pid) - before) / count / 1_024;
  await load.ask({ do: 'disperse' });
  await child.end();
  return { name, kib };
}

async function startAll(
  bench: Bench,
  starts: readonly ProxyStart[],
  role: 'sends' | 'receives',
): Promise<Running[]> {
  const { port: target } = await bench.load.ask<{ port: number }>({ do: 'target', role });
  const running: Running[] = [];
  for (const { name, start } of starts) {
    const peer = await start(bench.files, target);
    if (typeof peer === 'string') bench.tell(`${name} is left out: ${peer}`);
    else running.push({ name, ...peer });
  }
  return running;
}
