/** Messages echoed: what a message costs the server, by framing and by way to receive. */
import { compete, isAsked, type Bench, type Contestant, type Work } from '../bench.js';
import { Child } from '../child.js';
import { peers } from '../peers.js';
import type { Row } from '../row.js';
import type { OurFraming, Receiving } from '../subject/ours.js';
import type { WireFraming } from '../wire.js';

interface Server {
  readonly name: string;
  readonly child: Child;
  readonly port: number;
  readonly framing: WireFraming;
}

interface Load {
  readonly size: number;
  readonly depth: number;
}

const LOADS: readonly Load[] = [32, 1_024, 65_536].flatMap((size) => [
  { size, depth: 1 },
  { size, depth: 64 },
]);
const QUICK_LOADS: readonly Load[] = [
  { size: 32, depth: 64 },
  { size: 65_536, depth: 1 },
];

export const echo: Work = {
  name: 'echo',
  async run(bench) {
    const servers = await startServers(bench);
    const rows: Row[] = [];
    for (const load of bench.quick ? QUICK_LOADS : LOADS)
      rows.push(...(await measureLoad(bench, servers, load)));
    for (const { child } of servers) await child.end();
    return rows;
  },
};

async function measureLoad(bench: Bench, servers: readonly Server[], load: Load): Promise<Row[]> {
  const { size, depth } = load;
  const work = `echo ${sizeText(size)}, depth ${depth}`;
  if (!isAsked(bench, work)) return [];
  const contestants: Contestant[] = [];
  for (const { name, child, port, framing } of servers) {
    const key = `${name} ${size} ${depth}`;
    await bench.load.ask({ do: 'connect', key, port, framing, files: bench.files });
    contestants.push({
      name,
      pid: child.pid,
      least: targetOf(name, load),
      run: (ms) => bench.load.ask({ do: 'echo', key, size, depth, ms }),
    });
  }
  const rows = await compete(bench, { work, unit: 'µs server CPU a message' }, contestants);
  for (const { name } of servers) await bench.load.ask({ do: 'disconnect', key: `${name} ${size} ${depth}` });
  return rows;
}

/** What ours should reach of plain node:tls (one write a turn, views instead of copies). */
function targetOf(name: string, { size, depth }: Load): number | undefined {
  const listening = name === 'length-prefixed, onMessage' || name === 'knsock, onMessage';
  if (depth === 1 && size < 65_536) return listening ? 0.95 : undefined;
  if (depth === 1) return listening ? 1.25 : undefined;
  if (size === 1_024) return listening ? 1.05 : undefined;
  if (size !== 32) return undefined;
  if (listening) return 0.8;
  return /^(length-prefixed|knsock), (for await|serve)$/.test(name) ? 0.5 : undefined;
}

function sizeText(size: number): string {
  return size < 1_024 ? `${size} B` : `${size / 1_024} KiB`;
}

async function startServers(bench: Bench): Promise<Server[]> {
  const servers = [await bare(bench, 'node:tls', 'echo'), await bare(bench, 'naive framing', 'naive')];
  for (const [framing, receiving] of ours) servers.push(await knsockServer(bench, framing, receiving));
  for (const [name, start] of Object.entries(peers)) {
    bench.tell(`starting ${name}`);
    const peer = await start(bench.files);
    if (typeof peer === 'string') bench.tell(`${name} is left out: ${peer}`);
    else servers.push({ name, ...peer, framing: 'length-prefixed' });
  }
  return servers;
}

const ours: readonly (readonly [OurFraming, Receiving])[] = [
  ['raw', 'onMessage'],
  ['raw', 'for await'],
  ['raw', 'serve'],
  ['lines', 'onMessage'],
  ['lines', 'for await'],
  ['lines', 'serve'],
  ['length-prefixed', 'onMessage'],
  ['length-prefixed', 'for await'],
  ['length-prefixed', 'serve'],
  ['knsock', 'onMessage'],
  ['knsock', 'for await'],
  ['knsock', 'serve'],
  ['json over length-prefixed', 'onMessage'],
  ['json over length-prefixed', 'for await'],
  ['json over length-prefixed', 'serve'],
];

async function bare({ files }: Bench, name: string, behaviour: 'echo' | 'naive'): Promise<Server> {
  const child = Child.node('subject', 'subject/subject', name);
  const { port } = await child.ask<{ port: number }>({ do: 'serveBare', files, behaviour });
  return { name, child, port, framing: 'length-prefixed' };
}

async function knsockServer({ files }: Bench, framing: OurFraming, behaviour: Receiving): Promise<Server> {
  const name = `${framing}, ${behaviour}`;
  const child = Child.node('subject', 'subject/subject', name);
  const { port } = await child.ask<{ port: number }>({ do: 'serveOurs', files, framing, behaviour });
  return { name, child, port, framing: wireOf(framing, behaviour) };
}

function wireOf(framing: OurFraming, receiving: Receiving): WireFraming {
  if (framing === 'json over length-prefixed') return 'json';
  return framing === 'knsock' && receiving === 'serve' ? 'knsock-request' : framing;
}
