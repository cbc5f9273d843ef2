/** Throughput each way, measured at either side: what a MiB costs. */
import { compete, isAsked, type Bench, type Contestant, type Work } from '../bench.js';
import { Child } from '../child.js';
import type { Row } from '../row.js';

type Side = 'server' | 'client';
type Role = 'sends' | 'receives';
type Kind = 'node:tls' | 'raw' | 'length-prefixed' | 'knsock' | 'length-prefixed, lent' | 'knsock, lent';

const KINDS: readonly Kind[] = ['node:tls', 'raw', 'length-prefixed', 'knsock'];
const LENT: readonly Kind[] = ['length-prefixed, lent', 'knsock, lent'];
/** What lending is to reach. */
const LEAST_LENT: Readonly<Record<Side, number>> = { server: 0.95, client: 1.2 };
const LEAST: Readonly<Record<`${Side} ${Role}`, number | undefined>> = {
  'server receives': 0.95,
  'client receives': 1.3,
  'server sends': undefined,
  'client sends': undefined,
};

export const bulk: Work = {
  name: 'bulk',
  async run(bench) {
    const rows: Row[] = [];
    for (const side of ['server', 'client'] as const) {
      for (const role of ['receives', 'sends'] as const) rows.push(...(await measureWay(bench, side, role)));
    }
    return rows;
  },
};

async function measureWay(bench: Bench, side: Side, role: Role): Promise<Row[]> {
  const head = { work: `bulk, the ${side} ${role}`, unit: `µs ${side} CPU a MiB` };
  if (!isAsked(bench, head.work)) return [];
  const children: Child[] = [];
  const contestants: Contestant[] = [];
  const least = LEAST[`${side} ${role}`];
  for (const kind of role === 'receives' ? [...KINDS, ...LENT] : KINDS) {
    const child = Child.node('subject', 'subject/subject', kind);
    const key = `${kind} ${side} ${role}`;
    await join(bench, child, { kind, side, role, key });
    children.push(child);
    contestants.push({
      name: kind,
      pid: child.pid,
      least: kind === 'node:tls' ? undefined : LENT.includes(kind) ? LEAST_LENT[side] : least,
      run: (ms) => bench.load.ask({ do: role === 'receives' ? 'blast' : 'sink', key, ms }),
    });
  }
  const rows = await compete(bench, head, contestants);
  for (const { name } of contestants)
    await bench.load.ask({ do: 'disconnect', key: `${name} ${side} ${role}` });
  for (const child of children) await child.end();
  return rows;
}

interface Way {
  readonly kind: Kind;
  readonly side: Side;
  readonly role: Role;
  readonly key: string;
}

async function join({ load, files }: Bench, child: Child, { kind, side, role, key }: Way): Promise<void> {
  const what = kind === 'node:tls' ? 'Bare' : 'Ours';
  const framing = kind === 'node:tls' ? 'raw' : kind.replace(', lent', '');
  const request = { files, framing, behaviour: LENT.includes(kind) ? 'receives, lent' : role };
  if (side === 'server') {
    const { port } = await child.ask<{ port: number }>({ do: `serve${what}`, ...request });
    await load.ask({ do: 'connect', key, port, framing, files });
  } else {
    const { port } = await load.ask<{ port: number }>({ do: 'listen', key, framing, files });
    await child.ask({ do: `connect${what}`, ...request, port });
  }
}
