/**
 * Our side under attack, as a process of its own: every shape of program against every way in which a peer ends, on one
 * framing, in one role, over one version of TLS. Arguments: role, framing, version, and which cells (`step`, `from`).
 * It sends what it found to its parent, and must end by itself then.
 */
import { once } from 'node:events';
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls, createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import {
  connect,
  json,
  knsock,
  lengthPrefixed,
  lines,
  listen,
  raw,
  type Framing,
  type SecureServer,
} from '@knsock/core';
import { createWorld, portOf } from '../support/world.js';
import { welcome } from '../support/hand-made-peer.js';
import { ends, wires, type Attacker, type Wire } from './attack-ends.js';
import { shapes } from './attack-shapes.js';
import type { AnyConnection, Shape, Stage } from './attack-stage.js';

export interface AttackReport {
  readonly cells: number;
  /** What went against the rules, by cell. */
  readonly complaints: readonly string[];
  /** How long the longest cell took from the peer's end, in milliseconds. */
  readonly longestMs: number;
}

/** Far below `drainTimeout`, which none of these may need; far above what a busy machine takes. */
const SOON_MS = 8_000;
const AT_ONCE = 32;
/** By then a shape has come to where it waits, or never will. */
const ARRIVAL_MS = 250;

const [role = '', framingName = '', version = '', step = '1', from = '0'] = process.argv.slice(2);
const wire = wires[framingName] as Wire;
const makers: Record<string, () => Framing<unknown, unknown>> = {
  knsock: knsock as never,
  'length-prefixed': lengthPrefixed as never,
  lines: lines as never,
  json: () => json(lines()),
  raw: raw as never,
};
const framing = (makers[framingName] as () => Framing<unknown, unknown>)();
const versions = { minVersion: version as SecureVersion, maxVersion: version as SecureVersion };
const complaints: string[] = [];
let longestMs = 0;

// Failures are reported as process warnings, by default; nobody reads them here.
process.removeAllListeners('warning');
process.on('unhandledRejection', (reason) => complaints.push(`an unhandled rejection: ${said(reason)}`));
process.on('uncaughtException', (error) => complaints.push(`an uncaught exception: ${said(error)}`));

function said(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}

/** One shape against one end: what it was handed, and how often it heard of the end. */
class Cell implements Stage {
  readonly name: string;
  readonly shape: Shape;
  readonly end: (attacker: Attacker) => void;
  readonly arriving: Promise<void>;
  readonly open = new Set<string>();
  connection: AnyConnection | null = null;
  draining = 0;
  aborted = 0;
  readonly begun: Promise<void>;
  readonly attacked: Promise<void>;
  attackedBy!: (attack: Promise<void>) => void;
  #begin!: () => void;
  #arrive!: () => void;

  constructor(shape: string, end: string) {
    this.name = `${role} · ${framingName} · ${version} · a program that ${shape} × a peer that ${end}`;
    this.shape = shapes[shape] as Shape;
    this.end = ends[end] as (attacker: Attacker) => void;
    this.arriving = new Promise((resolve) => (this.#arrive = resolve));
    this.begun = new Promise((resolve) => (this.#begin = resolve));
    this.attacked = new Promise((resolve) => (this.attackedBy = resolve));
  }

  readonly arrived = (): void => {
    this.#arrive();
  };

  readonly track = <T>(name: string, promise: Promise<T>): Promise<T> => {
    const one = `${name} (${this.open.size})`;
    this.open.add(one);
    const done = (): boolean => this.open.delete(one);
    promise.then(done, done);
    return promise;
  };

  readonly work = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

  run(connection: AnyConnection): unknown {
    this.connection = connection;
    connection.onDraining(() => (this.draining += 1));
    connection.signal.addEventListener('abort', () => (this.aborted += 1));
    this.#begin();
    return this.shape.run(connection, this);
  }

  complain(words: string): void {
    complaints.push(`${this.name}: ${words}`);
  }

  /** The peer has ended; everything must be over soon. */
  async judge(since: number): Promise<void> {
    const { connection } = this;
    if (connection === null) {
      this.complain('it was never handed its connection');
      return;
    }
    const isOver = await soon(() => connection.state === 'closed' && connection.socket.destroyed);
    if (!isOver) this.complain(`the connection is still ${connection.state} after ${SOON_MS} ms`);
    if (isOver && !(await soon(() => this.open.size === 0)))
      this.complain(`these never settled: ${[...this.open].join(', ')}`);
    longestMs = Math.max(longestMs, performance.now() - since);
    if (isOver) await this.#expectOneEnd(connection);
    connection.destroy();
  }

  async #expectOneEnd(connection: AnyConnection): Promise<void> {
    const { clean, error, unsentBytes = 0 } = await connection.closed;
    if (clean === false && error === undefined) this.complain('closed says clean: false without an error');
    if (this.draining !== 1) this.complain(`onDraining was called ${this.draining} times`);
    if (this.aborted !== 1) this.complain(`connection.signal fired ${this.aborted} times`);
    // A handler may still be at work on an answer that nobody gets.
    const isIdle = await soon(() => connection.stats().requestsHandled === 0);
    const { queuedBytes, requestsWaiting } = connection.stats();
    if (!isIdle || requestsWaiting > 0)
      this.complain(`it is left with ${JSON.stringify(connection.stats())}`);
    if (queuedBytes !== unsentBytes)
      this.complain(`${queuedBytes} bytes are queued, and ${unsentBytes} were lost`);
  }
}

/** Whether it comes true within the time that everything must be over in. */
async function soon(is: () => boolean): Promise<boolean> {
  const deadline = performance.now() + SOON_MS;
  while (!is()) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}

function within(milliseconds: number, promise: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
  return Promise.race([promise, late]).finally(() => {
    clearTimeout(timer);
  });
}

/** The peer's part, once its handshake is done. */
async function attack(cell: Cell, tls: TLSSocket, tcp: Socket): Promise<void> {
  tls.on('error', () => undefined);
  tcp.on('error', () => undefined);
  const first = once(tls, 'data').catch(() => undefined);
  tls.on('data', () => undefined);
  // As any peer does: the end of the other direction is answered.
  tls.once('end', () => tls.end());
  if (framingName === 'knsock') {
    if (role === 'server') await within(SOON_MS, first);
    tls.write(welcome);
  }
  await within(SOON_MS, cell.begun);
  const { sends = 'a message' } = cell.shape;
  if (sends === 'a message') tls.write(wire.message('hello'));
  if (sends === 'two messages') tls.write(Buffer.concat([wire.message('hello'), wire.message('again')]));
  if (sends === 'a request') tls.write(wire.request('hello'));
  await within(ARRIVAL_MS, cell.arriving);
  const since = performance.now();
  cell.end({ tls, tcp, wire });
  await cell.judge(since);
  tcp.destroy();
  tls.destroy();
}

const world = await createWorld();
const cells = Object.keys(shapes)
  .filter((shape) => shapes[shape]?.only?.(framingName, role) ?? true)
  .flatMap((shape) => Object.keys(ends).map((end) => new Cell(shape, end)))
  .filter((_, index) => index % Number(step) === Number(from));

/** Runs them all, some at once. */
async function all(run: (cell: Cell, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < cells.length) {
      const index = next++;
      const cell = cells[index] as Cell;
      await run(cell, index).catch((error: unknown) => {
        cell.complain(said(error));
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function attackServer(): Promise<void> {
  const byPort = new Map<number, Cell>();
  const settings = { port: 0, host: '127.0.0.1', credentials: world.server, framing };
  const server: SecureServer<unknown, unknown> = await listen<unknown, unknown>(settings, (connection) => {
    const cell = byPort.get(connection.remote?.port ?? 0) as Cell;
    return cell.run(connection) as Promise<void>;
  });
  await all(async (cell) => {
    const tcp = connectTcp({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true });
    await once(tcp, 'connect');
    byPort.set(tcp.localPort ?? 0, cell);
    const ALPNProtocols = framing.alpn === undefined ? [] : [framing.alpn];
    const tls = connectTls({ socket: tcp, rejectUnauthorized: false, ...versions, ALPNProtocols });
    await once(tls, 'secureConnect');
    // Node reads on behind this event, and must not find its socket taken apart: other processes have their turn first too.
    await new Promise((resolve) => setImmediate(resolve));
    await attack(cell, tls, tcp);
  });
  const isEmpty = await soon(() => server.stats().connections + server.stats().pendingHandshakes === 0);
  if (!isEmpty) complaints.push(`the server is left with ${JSON.stringify(server.stats())}`);
  await server.close();
}

async function attackClients(): Promise<void> {
  const { chain, key } = await world.authority.issue({ kind: 'server', names: ['localhost'], days: 1 });
  const tcpOf = new Map<number, Socket>();
  const ALPNProtocols = framing.alpn === undefined ? undefined : [framing.alpn];
  const options = {
    cert: chain,
    key,
    ...versions,
    allowHalfOpen: true,
    ...(ALPNProtocols && { ALPNProtocols }),
  };
  const server = createServer(options, (tls) => {
    const index = Number(/^c(\d+)\./.exec(String(tls.servername))?.[1]);
    const cell = cells[index] as Cell;
    cell.attackedBy(attack(cell, tls, tcpOf.get(tls.remotePort ?? 0) as Socket));
  });
  server.on('connection', (tcp: Socket) => tcpOf.set(tcp.remotePort ?? 0, tcp));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await all(async (cell, index) => {
    const connection = await connect<unknown, unknown>({
      host: '127.0.0.1',
      port,
      framing,
      credentials: world.anonymous,
      // Names its cell, and is a target of its own to the cache of sessions.
      servername: `c${index}.localhost`,
      expectedName: 'localhost',
    });
    const program = async (): Promise<void> => {
      try {
        await cell.run(connection);
      } catch {
        // A client's program ends its connection when it is done, or has failed.
      }
      await connection.close();
    };
    void program();
    await cell.attacked;
  });
  server.close();
}

await (role === 'server' ? attackServer() : attackClients());
// Late reports have arrived by then.
await new Promise((resolve) => setTimeout(resolve, 200));
process.send?.(
  { cells: cells.length, complaints, longestMs: Math.round(longestMs) } satisfies AttackReport,
  () => {
    process.disconnect();
  },
);
