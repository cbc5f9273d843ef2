/** Memory of connections that say nothing. */
import { isAsked, type Bench, type Work } from '../bench.js';
import { Child } from '../child.js';
import { memoryRow, type Row } from '../row.js';
import { residentBytes } from '../usage.js';
import type { WireFraming } from '../wire.js';

interface Idler {
  readonly name: string;
  readonly framing: WireFraming;
  readonly serve: object;
}

const FULL = 10_000;
const QUICK = 200;
/** What is made once, and code that is compiled on first use, isn't counted. */
const WARM_UP = 200;
const MOST_MORE_KIB = 3;

const IDLERS: readonly Idler[] = [
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

export const idle: Work = {
  name: 'idle',
  async run(bench) {
    const count = bench.quick ? QUICK : FULL;
    if (!isAsked(bench, `${count} idle connections`)) return [];
    bench.tell(`${count} idle connections`);
    const measured: Memory[] = [];
    for (const idler of IDLERS) measured.push(await measure(bench, idler, count));
    const [base] = measured;
    return IDLERS.flatMap(({ name }, index) =>
      rowsOf(name, count, measured[index]!, index === 0 ? null : base!),
    );
  },
};

interface Memory {
  /** KiB a connection: what the system counts, and what the garbage collector does. */
  readonly resident: number;
  readonly heap: number;
}

async function measure(
  { load, files }: Bench,
  { name, framing, serve }: Idler,
  count: number,
): Promise<Memory> {
  const child = Child.node('subject', 'subject/subject', name);
  const { port } = await child.ask<{ port: number }>({ ...serve, files });
  await load.ask({ do: 'gather', files, port, framing, count: WARM_UP });
  const before = await memoryOf(child);
  await load.ask({ do: 'gather', files, port, framing, count });
  const after = await memoryOf(child);
  await load.ask({ do: 'disperse' });
  await child.end();
  const perConnection = (bytes: number): number => bytes / count / 1_024;
  return {
    resident: perConnection(after.resident - before.resident),
    heap: perConnection(after.heap - before.heap),
  };
}

async function memoryOf(child: Child): Promise<{ resident: number; heap: number }> {
  const { heapUsed, external } = await child.ask<{ heapUsed: number; external: number }>({ do: 'collect' });
  return { resident: residentBytes(child.pid), heap: heapUsed + external };
}

function rowsOf(contestant: string, count: number, memory: Memory, base: Memory | null): Row[] {
  const head = { work: `${count.toLocaleString('en')} idle connections`, contestant };
  const most = base === null ? null : base.resident + MOST_MORE_KIB;
  return [
    memoryRow({ ...head, unit: 'KiB resident a connection' }, memory.resident, most),
    memoryRow({ ...head, unit: 'KiB of JavaScript heap a connection' }, memory.heap, null),
  ];
}
