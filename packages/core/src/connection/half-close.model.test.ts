/**
 * Half-closes, in both directions and in any order, against a small model: what a side wrote before its own end arrives
 * complete, even where the other side ended first; what it writes after its end is refused; each end is seen once; what a side
 * wrote before its program failed arrives, and without its end is taken for none. Over the in-memory pair and over TLS.
 */
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../client/connect.js';
import { createCredentials } from '../credentials/credentials.js';
import { FailureReporter } from '../errors/failure-reporter.js';
import { raw } from '../framing/index.js';
import { parseLimits } from '../policy/limits.js';
import { listen } from '../server/listen.js';
import type { SecureServer } from '../server/secure-server.js';
import { makeCertificate } from '../testing/made-certificates.js';
import { memoryPair } from '../transport/memory-pair.js';
import { Connection } from './connection.js';
import type { SecureConnection } from './connection-types.js';

/** Nothing here waits for a deadline; everything finishes within this, in milliseconds. */
const SOON = 10_000;
const LARGEST = 40_000;

type Who = 'left' | 'right';
const other = (who: Who): Who => (who === 'left' ? 'right' : 'left');

/** What must be true of one side. */
interface Expected {
  written: string;
  hasEnded: boolean;
  isDestroyed: boolean;
  hasFailed: boolean;
}

type Model = Record<Who, Expected>;

class Side {
  readonly connection: SecureConnection;
  readonly stream: Duplex;
  received = '';
  ends = 0;
  closes = 0;
  /** Writes after our own end that were accepted: there must be none. */
  accepted = 0;

  constructor(connection: SecureConnection) {
    this.connection = connection;
    this.stream = connection.stream();
    this.stream.on('data', (chunk: Buffer) => (this.received += chunk.toString('latin1')));
    this.stream.on('end', () => (this.ends += 1));
    this.stream.on('error', () => undefined);
    void connection.closed.then(() => (this.closes += 1));
  }
}

type Real = Record<Who, Side>;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isOver = (mine: Expected): boolean => mine.isDestroyed || mine.hasFailed;

const commands = {
  /** Also where the other side ended long ago. */
  write: (mine: Expected, side: Side, text: string) => {
    if (isOver(mine) || mine.hasEnded) return;
    mine.written += text;
    side.stream.write(text);
  },
  end: (mine: Expected, side: Side) => {
    if (isOver(mine)) return;
    mine.hasEnded = true;
    side.stream.end();
  },
  endWithBytes: (mine: Expected, side: Side, text: string) => {
    if (isOver(mine) || mine.hasEnded) return;
    mine.written += text;
    mine.hasEnded = true;
    side.stream.end(text);
  },
  writeAfterEnd: async (mine: Expected, side: Side, text: string) => {
    if (mine.isDestroyed || !mine.hasEnded) return;
    const error = await new Promise((resolve) => {
      side.stream.write(text, resolve);
    });
    // Like any Node stream, it fails as a whole.
    mine.isDestroyed = true;
    if (!(error instanceof Error)) side.accepted += 1;
  },
  pause: (_: Expected, side: Side) => void side.stream.pause(),
  resume: (_: Expected, side: Side) => void side.stream.resume(),
  turn,
  destroy: (mine: Expected, side: Side) => {
    mine.isDestroyed = true;
    side.stream.destroy();
  },
  fail: (mine: Expected, side: Side) => {
    if (isOver(mine)) return;
    mine.hasFailed = true;
    (side.connection as unknown as Connection<Buffer, string>).handleBy(() => {
      throw new Error('the program failed');
    });
  },
} as const;

type What = keyof typeof commands;

class Command implements fc.AsyncCommand<Model, Real> {
  readonly #who: Who;
  readonly #what: What;
  readonly #size: number;

  constructor(who: Who, what: What, size: number) {
    this.#who = who;
    this.#what = what;
    this.#size = size;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const { written } = model[this.#who];
    const text = `${this.#who[0]}${written.length}${'x'.repeat(this.#size)}`;
    await commands[this.#what](model[this.#who], real[this.#who], text);
    for (const who of ['left', 'right'] as const) expectPrefix(real[who].received, model[other(who)].written);
  }

  toString(): string {
    return `${this.#who}.${this.#what}(${this.#size})`;
  }
}

/** Nothing is invented, duplicated or reordered. */
function expectPrefix(received: string, written: string): void {
  expect(written.startsWith(received), `${received.length} bytes received, not as written`).toBe(true);
}

const weights: readonly [What, number][] = [
  ['write', 8],
  ['end', 2],
  ['endWithBytes', 1],
  ['pause', 1],
  ['resume', 2],
  ['turn', 6],
];

type Breaks = 'never' | 'by calls' | 'by a failure';
const breaks: Record<Breaks, readonly [What, number][]> = {
  never: [],
  'by calls': [
    ['destroy', 1],
    ['writeAfterEnd', 2],
  ],
  'by a failure': [['fail', 1]],
};

function scripts(breaking: Breaks): fc.Arbitrary<Iterable<fc.AsyncCommand<Model, Real>>> {
  const weighted = [...weights, ...breaks[breaking]].map(([what, weight]) => ({
    weight,
    arbitrary: fc
      .tuple(fc.constantFrom('left' as const, 'right' as const), fc.nat({ max: LARGEST }))
      .map(([who, size]) => new Command(who, what, size)),
  }));
  return fc.commands([fc.oneof(...weighted)], { maxCommands: 50 });
}

async function within(work: Promise<unknown>, what: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what()} within ${SOON} ms`));
    }, SOON);
  });
  await Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}

const fresh = (): Model => ({
  left: { written: '', hasEnded: false, isDestroyed: false, hasFailed: false },
  right: { written: '', hasEnded: false, isDestroyed: false, hasFailed: false },
});

/** All that a side wrote, but for one that destroyed its stream; and its end where it had ended. */
function expectAll({ isDestroyed, hasEnded, written }: Expected, received: string, ends: number): void {
  if (isDestroyed) return;
  expect(received.length).toBe(written.length);
  expect(ends).toBe(hasEnded ? 1 : 0);
}

/** Ends what is still open, and checks both sides against the model. */
async function conclude(model: Model, real: Real): Promise<void> {
  const both = ['left', 'right'] as const;
  for (const who of both) {
    real[who].stream.resume();
    if (!model[who].hasEnded) commands.end(model[who], real[who]);
  }
  const states = (): string => both.map((who) => `${who} is ${real[who].connection.state}`).join(', ');
  await within(Promise.all(both.map((who) => real[who].connection.closed)), () => `not over: ${states()}`);
  await turn();
  const isBroken = isOver(model.left) || isOver(model.right);
  for (const who of both) {
    const { received, ends, closes, accepted, stream } = real[who];
    const theirs = model[other(who)].written;
    expectPrefix(received, theirs);
    if (!isBroken || !isOver(model[who])) expectAll(model[other(who)], received, ends);
    if (isBroken) expect(ends).toBeLessThanOrEqual(1);
    else expect(ends).toBe(1);
    expect(closes).toBe(1);
    expect(accepted).toBe(0);
    expect(stream.destroyed).toBe(true);
    const { clean, error } = await real[who].connection.closed;
    if (clean === false) expect(error).toBeInstanceOf(Error);
    if (!isBroken) expect(error).toBeUndefined();
  }
}

function inMemory(): Promise<Real> {
  const ends = memoryPair();
  const [left, right] = (['client', 'server'] as const).map(
    (role, at) =>
      new Connection<Buffer, Uint8Array | string>(ends[at] as (typeof ends)[0], {
        role,
        framing: raw(),
        limits: parseLimits({}),
        maxLifetime: null,
        requestHandler: null,
        explainEnd: null,
        failures: new FailureReporter(() => undefined),
        peer: null,
        // Nothing here uses the layer below the byte stream.
        tls: null as never,
        socket: null as never,
        remote: null,
        proxy: null,
      }),
  ) as [Connection<Buffer, string>, Connection<Buffer, string>];
  return Promise.all([left.open(), right.open()]).then(() => ({
    left: new Side(left as unknown as SecureConnection),
    right: new Side(right as unknown as SecureConnection),
  }));
}

describe('over TLS', () => {
  const ca = makeCertificate({ commonName: 'CA', isAuthority: true });
  const own = makeCertificate({ commonName: 'us', issuer: ca, names: ['localhost'], usage: 'server' });
  const credentials = createCredentials({ cert: own.pem, key: own.keyPem });
  const trusting = createCredentials({ ca: ca.pem });
  let server: SecureServer;
  let handed: (side: Side) => void = () => undefined;
  beforeAll(async () => {
    server = await listen({ port: 0, host: '127.0.0.1', credentials, framing: raw() }, (connection) => {
      handed(new Side(connection));
    });
  });
  afterAll(() => server.close({ deadline: 0 }));

  async function opened(): Promise<Real> {
    const coming = new Promise<Side>((resolve) => (handed = resolve));
    const { port } = server.address as { port: number };
    const connection = await connect({ host: 'localhost', port, credentials: trusting, framing: raw() });
    return { left: new Side(connection), right: await coming };
  }

  keepsToTheModel(opened);
});

describe('in memory', () => {
  keepsToTheModel(inMemory);
});

function keepsToTheModel(open: () => Promise<Real>): void {
  it.each([
    ['everything arrives, and each end is seen once', 'never'],
    ['what arrives is a part of it where a side breaks off', 'by calls'],
    ['all that was written arrives from a side whose program fails', 'by a failure'],
  ] as const)('%s', { timeout: 120_000 }, async (_, breaking) => {
    await fc.assert(
      fc.asyncProperty(scripts(breaking), async (script) => {
        const [model, real] = [fresh(), await open()];
        await fc.asyncModelRun(() => ({ model, real }), script);
        await conclude(model, real);
      }),
      { numRuns: 100, interruptAfterTimeLimit: 30_000, markInterruptAsFailure: false },
    );
  });
}
