/**
 * Two connections over the in-memory pair, driven by random calls: no byte is lost or invented, no promise stays pending, no
 * end is reported twice, and what is queued and held stays within its bounds at every step.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureReporter } from '../errors/failure-reporter.js';
import { json, knsock, lengthPrefixed, lines, raw, type Framing } from '../framing/index.js';
import { parseLimits } from '../policy/limits.js';
import { memoryPair } from '../transport/memory-pair.js';
import { Connection, type ConnectionSettings } from './connection.js';

const MAX_QUEUED = 16_384;
/** This much is on its way before the peer is seen to read slowly (`send-queue.ts`). */
const IN_FLIGHT = 65_536;
/** What reading stops at: bytes held, and control frames behind them (`reading-gate.ts`). */
const MAX_HELD = MAX_QUEUED + 1_048_576;
const LARGEST = 3_000;
/** A timeout that no test here reaches, in milliseconds. */
const SOON = 10_000;

type Ours = Connection<unknown, unknown>;

class Side {
  readonly connection: Ours;
  readonly given: string[] = [];
  readonly sent: string[] = [];
  readonly received: string[] = [];
  readonly answers: (readonly [asked: string, answer: string])[] = [];
  /** What isn't settled yet, by the call that made it. */
  readonly open = new Map<Promise<unknown>, string>();
  readonly reported: string[] = [];
  drained = 0;
  ends = 0;
  breaks = false;
  closes = false;
  /** Whether messages are taken by `receive`, which gives each to one call. */
  readonly pulls: boolean;

  constructor(connection: Ours, reported: string[], pulls: boolean, answers: boolean) {
    this.connection = connection;
    this.reported = reported;
    this.pulls = pulls;
    if (!pulls) connection.onMessage((message) => void this.received.push(textOf(message)));
    connection.onDraining(() => (this.drained += 1));
    if (answers)
      connection.onRequest(async ({ payload }) => {
        await turn();
        return `re: ${textOf(payload)}`;
      });
    void connection.closed.then(() => (this.ends += 1));
  }

  follow(what: string, promise: Promise<unknown>): void {
    this.open.set(promise, what);
    const done = (): void => void this.open.delete(promise);
    promise.then(done, done);
  }
}

const textOf = (message: unknown): string =>
  Buffer.isBuffer(message) ? message.toString() : String(message);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Pair {
  readonly left: Side;
  readonly right: Side;
}

const actions = {
  send(side: Side, text: string): void {
    side.given.push(text);
    const sending = side.connection.send(text);
    side.follow('send', sending);
    sending.then(
      () => side.sent.push(text),
      () => undefined,
    );
  },
  sendAndGiveUp(side: Side, text: string): void {
    side.given.push(text);
    const abort = new AbortController();
    side.follow('send', side.connection.send(text, { signal: abort.signal }));
    setImmediate(() => {
      abort.abort(new Error('enough'));
    });
  },
  write(side: Side, text: string): void {
    side.given.push(text);
    side.connection.write(text);
  },
  post(side: Side, text: string): void {
    side.given.push(text);
    if (side.connection.post(text)) side.sent.push(text);
  },
  receive(side: Side): void {
    if (!side.pulls) return;
    const receiving = side.connection.receive();
    side.follow('receive', receiving);
    receiving.then(
      (message) => {
        if (message !== null) side.received.push(textOf(message));
      },
      () => undefined,
    );
  },
  receiveAndGiveUp(side: Side): void {
    if (!side.pulls) return;
    const abort = new AbortController();
    const receiving = side.connection.receive({ signal: abort.signal, timeout: 5_000 });
    side.follow('receive', receiving);
    receiving.then(
      (message) => {
        if (message !== null) side.received.push(textOf(message));
      },
      () => undefined,
    );
    setImmediate(() => {
      abort.abort(new Error('enough'));
    });
  },
  request(side: Side, text: string): void {
    const asking = side.connection.request(text, { timeout: 5_000 });
    side.follow('request', asking);
    asking.then(
      (answer) => side.answers.push([text, textOf(answer)]),
      () => undefined,
    );
  },
  requestAndGiveUp(side: Side, text: string): void {
    const abort = new AbortController();
    side.follow('request', side.connection.request(text, { signal: abort.signal }));
    setImmediate(() => {
      abort.abort(new Error('enough'));
    });
  },
  ping(side: Side): void {
    side.follow('ping', side.connection.ping({ timeout: 5_000 }));
  },
  ready(side: Side): void {
    side.follow('ready', side.connection.ready());
  },
  pause(side: Side): void {
    side.connection.pause();
  },
  resume(side: Side): void {
    side.connection.resume();
  },
  turn,
  close(side: Side): void {
    side.closes = true;
    side.follow('close', side.connection.close({ deadline: 500 }));
  },
  closeWithCode(side: Side): void {
    side.closes = true;
    side.follow('close', side.connection.close({ deadline: 500, code: 'moved', text: 'elsewhere' }));
  },
  destroy(side: Side): void {
    side.breaks = true;
    side.connection.destroy();
  },
} as const;

type Action = keyof typeof actions;

class Step implements fc.AsyncCommand<object, Pair> {
  readonly #who: 'left' | 'right';
  readonly #what: Action;
  readonly #size: number;

  constructor(who: 'left' | 'right', what: Action, size: number) {
    this.#who = who;
    this.#what = what;
    this.#size = size;
  }

  check(): boolean {
    return true;
  }

  async run(_model: object, pair: Pair): Promise<void> {
    const side = pair[this.#who];
    await actions[this.#what](side, `${this.#who} ${side.given.length} ${'x'.repeat(this.#size)}`);
    for (const { connection } of [pair.left, pair.right]) expectBounded(connection);
  }

  toString(): string {
    return `${this.#who}.${this.#what}(${this.#size})`;
  }
}

/** One message may be over each bound: it is accepted when nothing waits, and the chunk that exceeds the bound is kept. */
function expectBounded(connection: Ours): void {
  const { queuedBytes, heldBytes } = connection.stats();
  expect(queuedBytes).toBeLessThanOrEqual(Math.max(MAX_QUEUED, IN_FLIGHT) + 60 * LARGEST);
  expect(heldBytes).toBeLessThanOrEqual(MAX_HELD + IN_FLIGHT);
}

const common: readonly [Action, number][] = [
  ['send', 6],
  ['sendAndGiveUp', 2],
  ['write', 4],
  ['post', 3],
  ['receive', 5],
  ['receiveAndGiveUp', 2],
  ['ready', 1],
  ['pause', 1],
  ['resume', 2],
  ['turn', 7],
  ['close', 1],
  ['destroy', 1],
];
const ofFrames: readonly [Action, number][] = [
  ['request', 5],
  ['requestAndGiveUp', 2],
  ['ping', 2],
  ['closeWithCode', 1],
];

function steps(isFramed: boolean): fc.Arbitrary<Iterable<fc.AsyncCommand<object, Pair>>> {
  const weighted = (isFramed ? [...common, ...ofFrames] : common).map(([what, weight]) => ({
    weight,
    arbitrary: fc
      .tuple(fc.constantFrom('left' as const, 'right' as const), fc.nat({ max: LARGEST }))
      .map(([who, size]) => new Step(who, what, size)),
  }));
  return fc.commands([fc.oneof(...weighted)], { maxCommands: 80 });
}

async function open(
  framing: () => Framing<unknown, unknown>,
  pulls: boolean,
  answers: boolean,
): Promise<Pair> {
  const [left, right] = memoryPair();
  const connections = (['client', 'server'] as const).map((role, at) => {
    const reported: string[] = [];
    const settings: ConnectionSettings<unknown, unknown> = {
      role,
      framing: framing(),
      limits: parseLimits({ maxQueuedBytes: MAX_QUEUED }),
      maxLifetime: null,
      requestHandler: null,
      explainEnd: null,
      failures: new FailureReporter((error: Error) => reported.push(error.message)),
      peer: null,
      // Nothing here uses the layer below the byte stream.
      tls: null as never,
      socket: null as never,
      remote: { address: '192.0.2.1', port: at + 1 },
      proxy: null,
    };
    return [new Connection(at === 0 ? left : right, settings), reported] as const;
  });
  const openings = connections.map(([connection]) => connection.open());
  for (const opening of openings) if (opening !== null) await opening;
  const [one, other] = connections.map(
    ([connection, reported]) => new Side(connection, reported, pulls, answers),
  ) as [Side, Side];
  return { left: one, right: other };
}

async function within(work: Promise<unknown>, what: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what()} within ${SOON} ms`));
    }, SOON);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function finish({ left, right }: Pair): Promise<void> {
  for (const { connection } of [left, right]) connection.resume();
  // A client on raw() that was notified of the server's end chooses when its own direction ends (docs/connections.md).
  if (!left.closes) actions.close(left);
  const { connection: one } = left;
  const { connection: other } = right;
  await within(Promise.all([one.closed, other.closed]), () => "an end isn't told");
  for (const side of [left, right]) {
    // What arrived before the end is the program's to take, also after it.
    if (side.pulls)
      for (let more = await next(side); more !== null; more = await next(side)) side.received.push(more);
    await within(Promise.allSettled(side.open.keys()), () => `${[...side.open.values()].join()} are open`);
  }
}

async function next({ connection }: Side): Promise<string | null> {
  const message = await connection.receive().catch(() => null);
  return message === null ? null : textOf(message);
}

function expectHonest(from: Side, to: Side, isStream: boolean): void {
  if (isStream) {
    // Without message boundaries the bytes must be in order; nothing is sent twice.
    const bytes = to.received.join('');
    let at = 0;
    for (const text of from.given) if (bytes.startsWith(text, at)) at += text.length;
    if (!from.breaks && !to.breaks) expect(at).toBe(bytes.length);
    return;
  }
  let at = 0;
  for (const message of to.received) {
    const found = from.given.indexOf(message, at);
    expect(found, `out of order, twice or never sent: ${message.slice(0, 20)}`).toBeGreaterThanOrEqual(at);
    at = found + 1;
  }
  const alone = from.closes && !to.closes && !from.breaks && !to.breaks;
  if (alone) expect(from.sent.filter((message) => !to.received.includes(message))).toEqual([]);
}

const kinds: [string, () => Framing<never, never>, boolean][] = [
  ['knsock', () => knsock() as never, true],
  ['json(knsock)', () => json(knsock()) as never, true],
  ['lines', () => lines() as never, false],
  ['length-prefixed', () => lengthPrefixed() as never, false],
  ['raw', () => raw() as never, false],
];

describe.each(kinds)('two ends of %s in memory', (name, framing, isFramed) => {
  it.each([
    ['by a listener', false],
    ['by receive', true],
  ])(
    'that take messages %s lose nothing, invent nothing, and stay within bounds',
    { timeout: 120_000 },
    async (_, pulls) => {
      await fc.assert(
        fc.asyncProperty(steps(isFramed), async (commands) => {
          const pair = await open(framing as never, pulls, isFramed);
          await fc.asyncModelRun(() => ({ model: {}, real: pair }), commands);
          await finish(pair);
          expectHonest(pair.left, pair.right, name === 'raw');
          expectHonest(pair.right, pair.left, name === 'raw');
          for (const { ends, drained, answers, connection } of [pair.left, pair.right]) {
            expect(ends).toBe(1);
            expect(drained).toBeLessThanOrEqual(1);
            for (const [asked, answer] of answers) expect(answer).toBe(`re: ${asked}`);
            const { clean, error } = await connection.closed;
            if (clean === false) expect(error?.message).toContain('192.0.2.1');
            expect(connection.stats()).toMatchObject({
              requestsHandled: 0,
              requestsWaiting: 0,
              requestsGivenUp: 0,
            });
          }
        }),
        { numRuns: 40, interruptAfterTimeLimit: 40_000, markInterruptAsFailure: false },
      );
    },
  );
});
