/** What others pay while many connections are open, idle or each sending once a second: a new client's time, and the CPU. */
import { execFileSync } from 'node:child_process';
import { isAsked, type Bench, type Work } from '../bench.js';
import { Child } from '../child.js';
import type { Latency } from '../load/latency.js';
import type { Row } from '../row.js';
import { spread } from '../statistics.js';
import { residentBytes, usageOf } from '../usage.js';

const OPEN = { full: [1, 100, 1_000, 10_000, 30_000], quick: [1, 20] } as const;
/** How many connect anew, one after the other, for each figure. */
const NEW_CLIENTS = { full: 200, quick: 5 } as const;
/** Descriptors of a process that aren't connections. */
const OTHER_DESCRIPTORS = 500;
const CONTESTANTS = [
  { name: 'node:tls', serve: { do: 'serveBare', behaviour: 'echo' } },
  { name: 'knsock', serve: { do: 'serveOurs', framing: 'length-prefixed', behaviour: 'onMessage' } },
] as const;
const FRAMING = 'length-prefixed';

export const scale: Work = {
  name: 'scale',
  async run(bench) {
    const rows: Row[] = [];
    for (const { name, serve } of CONTESTANTS) rows.push(...(await climb(bench, name, serve)));
    // The same number beside the same number.
    return rows.toSorted((one, other) => openIn(one.work) - openIn(other.work));
  },
};

/** How many connections were open, as the title of a row says. */
export function openIn(work: string): number {
  return Number(/beside ([\d,]+) /.exec(work)?.[1]?.replaceAll(',', '') ?? NaN);
}

/** As many as this user may have, where that is less. */
function steps({ quick }: Bench): number[] {
  const most = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' })) - OTHER_DESCRIPTORS;
  const counts = (quick ? OPEN.quick : OPEN.full).map((count) => Math.min(count, most || count));
  return [...new Set(counts)];
}

async function climb(bench: Bench, contestant: string, serve: object): Promise<Row[]> {
  const { files, load } = bench;
  const child = Child.node('subject', 'subject/subject', contestant);
  const { port } = await child.ask<{ port: number }>({ ...serve, files });
  const newClients = { do: 'newClients', files, port, framing: FRAMING };
  await load.ask({ ...newClients, count: bench.quick ? 5 : 2_000 }); // until the code is compiled
  const rows: Row[] = [];
  let open = 0;
  for (const count of steps(bench)) {
    bench.tell(`${contestant}, ${count} open`);
    const before = { cpu: usageOf(child.pid).cpu, resident: residentBytes(child.pid) };
    await load.ask({ do: 'gather', files, port, framing: FRAMING, count: count - open });
    const work = `beside ${count.toLocaleString('en')} connections: opening the last ${(count - open).toLocaleString('en')}`;
    const each = (value: number): number => value / (count - open);
    rows.push(
      figure(work, contestant, 'µs server CPU each', each(usageOf(child.pid).cpu - before.cpu) / 1_000),
      figure(work, contestant, 'KiB resident each', each(residentBytes(child.pid) - before.resident) / 1_024),
    );
    open = count;
    rows.push(...(await beside(bench, child, contestant, { ...newClients, open })));
  }
  await load.ask({ do: 'disperse' });
  await child.end();
  return rows;
}

async function beside(
  bench: Bench,
  child: Child,
  contestant: string,
  request: { readonly open: number },
): Promise<Row[]> {
  const rows: Row[] = [];
  const { load } = bench;
  for (const what of ['idle', 'sending'] as const) {
    const work = `a new client beside ${request.open.toLocaleString('en')} ${what} connections`;
    if (!isAsked(bench, work)) continue;
    if (what === 'sending') await load.ask({ do: 'murmur', framing: FRAMING });
    const before = usageOf(child.pid).cpu;
    const started = performance.now();
    const took = await load.ask<Latency>({
      ...request,
      count: bench.quick ? NEW_CLIENTS.quick : NEW_CLIENTS.full,
    });
    const cpu = (usageOf(child.pid).cpu - before) / 1e4 / (performance.now() - started);
    if (what === 'sending') await load.ask({ do: 'hush' });
    rows.push(
      figure(work, contestant, 'ms until its first answer, p99', took.p99),
      figure(work, contestant, 'ms until its first answer, median', took.median),
      figure(work, contestant, '% of a core meanwhile', cpu),
    );
  }
  return rows;
}

function figure(work: string, contestant: string, unit: string, value: number): Row {
  return {
    work,
    contestant,
    unit,
    value: spread([value]),
    perSecond: null,
    waiting: null,
    ratio: null,
    target: null,
  };
}
