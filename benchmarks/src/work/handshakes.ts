/** New connections: full and resumed, with and without client certificates, at either side. */
import { compete, isAsked, type Bench, type Competition, type Contestant, type Work } from '../bench.js';
import { Child } from '../child.js';
import type { Footprint } from '../subject/footprint.js';
import { memoryRow, type Row } from '../row.js';

interface Variant {
  readonly resume: boolean;
  readonly clientCertificates: boolean;
}

const VARIANTS: readonly Variant[] = [
  { resume: false, clientCertificates: false },
  { resume: true, clientCertificates: false },
  { resume: false, clientCertificates: true },
  { resume: true, clientCertificates: true },
];
const LEAST_NEW = 0.95;
const LEAST_RESUMED = 1.2;
/** By then all that a connection runs is compiled and optimized, at either side. */
const WARM_UP = 4_000;
/** Connections over which objects are counted, on top of as many. */
const COUNTED = 200;

export const handshakes: Work = {
  name: 'handshakes',
  async run(bench) {
    const variants = bench.quick ? VARIANTS.slice(0, 2) : VARIANTS;
    return [
      ...(await atTheClient(bench, variants)),
      ...(await atTheServer(bench, variants)),
      ...(await objects(bench)),
    ];
  },
};

async function atTheClient(bench: Bench, variants: readonly Variant[]): Promise<Row[]> {
  const bare = Child.node('subject', 'subject/subject', 'node:tls');
  const ours = Child.node('subject', 'subject/subject', 'knsock');
  const rows: Row[] = [];
  for (const variant of variants) {
    const { port } = await bench.load.ask<{ port: number }>({
      do: 'greet',
      files: bench.files,
      clientCertificates: variant.clientCertificates,
    });
    const request = { ...variant, port, files: bench.files };
    rows.push(
      ...(await compete(bench, headOf(variant, 'client'), [
        contestant('node:tls, shared context', bare, { do: 'dialBare', parseEachTime: false, ...request }),
        contestant('node:tls, PEM each time', bare, { do: 'dialBare', parseEachTime: true, ...request }),
        contestant('knsock', ours, { do: 'dialOurs', framing: 'length-prefixed', ...request }, LEAST_NEW),
      ])),
    );
  }
  await bare.end();
  await ours.end();
  return rows.concat(resumedAgainstFull(rows));
}

async function atTheServer(bench: Bench, variants: readonly Variant[]): Promise<Row[]> {
  const bare = Child.node('subject', 'subject/subject', 'node:tls');
  const ours = Child.node('subject', 'subject/subject', 'knsock');
  const rows: Row[] = [];
  for (const variant of variants) {
    const { clientCertificates } = variant;
    const serving = { files: bench.files, behaviour: 'greet', clientCertificates };
    const ports = [
      await bare.ask<{ port: number }>({ do: 'serveBare', ...serving }),
      await ours.ask<{ port: number }>({ do: 'serveOurs', framing: 'length-prefixed', ...serving }),
      await bare.ask<{ port: number }>({ do: 'serveBare', readsLeaf: false, ...serving }),
    ];
    const dial = { do: 'dialBare', files: bench.files, parseEachTime: false, ...variant };
    rows.push(
      ...(await compete(bench, headOf(variant, 'server'), [
        { name: 'node:tls', pid: bare.pid, run: (ms) => bench.load.ask({ ...dial, ...ports[0], ms }) },
        {
          name: 'knsock',
          pid: ours.pid,
          least: leastAtServer(variant),
          run: (ms) => bench.load.ask({ ...dial, ...ports[1], ms }),
        },
        ...(clientCertificates
          ? [
              {
                name: 'node:tls, certificate not read',
                pid: bare.pid,
                run: (ms: number) =>
                  bench.load.ask<{ operations: number; wallMs: number }>({ ...dial, ...ports[2], ms }),
              },
            ]
          : []),
      ])),
    );
  }
  await bare.end();
  await ours.end();
  return rows;
}

function leastAtServer({ resume }: Variant): number {
  return resume ? 0.85 : 0.9;
}

function contestant(name: string, child: Child, request: object, least?: number): Contestant {
  return { name, pid: child.pid, least, run: (ms) => child.ask({ ...request, ms }) };
}

function headOf({ resume, clientCertificates }: Variant, side: string): Competition {
  const how = `${resume ? 'resumed' : 'full'}${clientCertificates ? ', client certificate' : ''}`;
  return { work: `connections, ${how}, the ${side}`, unit: `µs ${side} CPU a connection`, warmUp: WARM_UP };
}

/** What an open connection is made of at the server: all that the garbage collector knows, and the socket's listeners. */
async function objects({ load, files, quick, match, tell }: Bench): Promise<Row[]> {
  const work = 'an open connection at the server';
  if (!isAsked({ match } as Bench, work)) return [];
  tell(work);
  const count = quick ? COUNTED / 10 : COUNTED;
  const rows: Row[] = [];
  for (const [contestant, serve] of [
    ['node:tls', { do: 'serveBare' }],
    ['knsock', { do: 'serveOurs', framing: 'length-prefixed' }],
  ] as const) {
    const child = Child.node('subject', 'subject/subject', contestant);
    const { port } = await child.ask<{ port: number }>({ ...serve, files, behaviour: 'idle' });
    const gather = { do: 'gather', files, port, framing: 'length-prefixed', count };
    await load.ask(gather);
    const before = await child.ask<Footprint>({ do: 'footprint' });
    await load.ask(gather);
    const after = await child.ask<Footprint>({ do: 'footprint' });
    await load.ask({ do: 'disperse' });
    await child.end();
    const head = { work, contestant };
    rows.push(
      memoryRow({ ...head, unit: 'objects' }, (after.objects - before.objects) / count, null),
      memoryRow({ ...head, unit: 'listeners' }, (after.listeners - before.listeners) / count, null),
    );
  }
  return rows;
}

/** Ours resumed against ours in full, by the medians. */
function resumedAgainstFull(rows: readonly Row[]): Row[] {
  return rows
    .filter(({ work, contestant }) => contestant === 'knsock' && work.includes('resumed'))
    .map((resumed): Row => {
      const full = rows.find(
        ({ work, contestant }) => contestant === 'knsock' && work === resumed.work.replace('resumed', 'full'),
      );
      const gain = (full?.value.median ?? NaN) / resumed.value.median;
      const work = resumed.work.replace('resumed', 'resumed against full');
      const value = { min: gain, median: gain, max: gain };
      const target = { text: `≥ ${LEAST_RESUMED.toFixed(2)}`, met: gain >= LEAST_RESUMED };
      return { ...resumed, work, unit: 'times as cheap', value, perSecond: null, ratio: null, target };
    });
}
