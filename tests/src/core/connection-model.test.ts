import {
  connect,
  knsock,
  lengthPrefixed,
  lines,
  listen,
  type Framing,
  type SecureConnection,
  type SecureServer,
} from '@knsock/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

/** How long promises may take to settle after the end of a connection; nothing here waits this long. */
const SOON = 10_000;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** One end of a connection, and what is expected of it. */
class Side {
  readonly connection: SecureConnection;
  /** In the order of the calls, accepted or not. */
  readonly given: string[] = [];
  /** Those whose `send` resolved. */
  readonly accepted: string[] = [];
  readonly received: string[] = [];
  readonly promises: Promise<unknown>[] = [];
  readonly answers: (readonly [asked: string, answer: string])[] = [];
  drained = 0;
  ends = 0;
  closes = false;
  destroys = false;

  constructor(connection: SecureConnection, answering: boolean) {
    this.connection = connection;
    connection.onMessage((message) => void this.received.push(String(message)));
    connection.onDraining(() => (this.drained += 1));
    if (answering)
      connection.onRequest(async ({ payload }) => {
        await new Promise((resolve) => setImmediate(resolve));
        return `re: ${String(payload)}`;
      });
    void connection.closed.then(() => (this.ends += 1));
  }

  follow(promise: Promise<unknown>): void {
    this.promises.push(promise);
    promise.catch(() => undefined);
  }
}

interface Pair {
  readonly client: Side;
  readonly server: Side;
}

/** All expectations are kept by the sides. */
interface Model {
  readonly nothing?: never;
}

class Step implements fc.AsyncCommand<Model, Pair> {
  readonly #who: 'client' | 'server';
  readonly #what: keyof typeof actions;
  readonly #size: number;

  constructor(who: 'client' | 'server', what: keyof typeof actions, size: number) {
    this.#who = who;
    this.#what = what;
    this.#size = size;
  }

  check(): boolean {
    return true;
  }

  async run(_model: Model, pair: Pair): Promise<void> {
    const side = pair[this.#who];
    await actions[this.#what](side, `${this.#who} ${side.given.length} ${'x'.repeat(this.#size)}`);
  }

  toString(): string {
    return `${this.#who}.${this.#what}(${this.#size})`;
  }
}

const actions = {
  send(side: Side, text: string): void {
    side.given.push(text);
    side.follow(side.connection.send(text).then(() => side.accepted.push(text)));
  },
  write(side: Side, text: string): void {
    side.given.push(text);
    side.connection.write(text);
  },
  post(side: Side, text: string): void {
    side.given.push(text);
    side.connection.post(text);
  },
  request(side: Side, text: string): void {
    const asking = side.connection.request(text, { timeout: 5_000 });
    side.follow(asking.then((answer) => side.answers.push([text, String(answer)])));
  },
  ready(side: Side): void {
    side.follow(side.connection.ready());
  },
  pause(side: Side): void {
    side.connection.pause();
  },
  resume(side: Side): void {
    side.connection.resume();
  },
  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  },
  close(side: Side): void {
    side.closes = true;
    side.follow(side.connection.close({ deadline: 2_000 }));
  },
  destroy(side: Side): void {
    side.destroys = true;
    side.connection.destroy();
  },
} as const;

function steps(requests: boolean): fc.Arbitrary<Iterable<fc.AsyncCommand<Model, Pair>>> {
  const step = (what: keyof typeof actions, weight: number) => ({
    weight,
    arbitrary: fc
      .tuple(fc.constantFrom('client' as const, 'server' as const), fc.nat({ max: 3_000 }))
      .map(([who, size]) => new Step(who, what, size)),
  });
  const all = [
    step('send', 6),
    step('write', 4),
    step('post', 3),
    step('ready', 1),
    step('pause', 1),
    step('resume', 2),
    step('turn', 6),
    step('close', 1),
    step('destroy', 1),
  ];
  if (requests) all.push(step('request', 5));
  return fc.commands([fc.oneof(...all)], { maxCommands: 60 });
}

async function within<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${SOON} ms`)), SOON);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Both ends, after any calls. */
async function finish({ client, server }: Pair): Promise<void> {
  for (const side of [client, server]) side.connection.resume();
  if (!client.closes && !server.closes) actions.close(client);
  await within(Promise.all([client.connection.closed, server.connection.closed]), 'neither end is notified');
  await within(Promise.allSettled([...client.promises, ...server.promises]), 'a promise stays open');
  await actions.turn();
}

function expectNothingInvented(from: Side, to: Side): void {
  let at = 0;
  for (const message of to.received) {
    const found = from.given.indexOf(message, at);
    expect(
      found,
      `received out of order, twice or never sent: ${message.slice(0, 20)}`,
    ).toBeGreaterThanOrEqual(at);
    at = found + 1;
  }
  const alone = from.closes && !to.closes && !from.destroys && !to.destroys;
  if (alone) expect(from.accepted.filter((message) => !to.received.includes(message))).toEqual([]);
}

describe.each<[string, () => Framing, boolean]>([
  ['knsock', knsock, true],
  ['lines', lines, false],
  ['length-prefixed', lengthPrefixed, false],
])('two ends of %s', (_name, framing, requests) => {
  let server: SecureServer;
  let handedOut: (connection: SecureConnection) => void = () => undefined;
  beforeAll(async () => {
    const options = { port: 0, host: '127.0.0.1', credentials: world.server, framing: framing() };
    server = await listen({ ...options, maxQueuedBytes: 16_384, onError: () => undefined }, (connection) => {
      handedOut(connection);
    });
  });
  afterAll(() => server.close({ deadline: 1 }));

  async function open(): Promise<Pair> {
    const coming = new Promise<Side>((resolve) => {
      handedOut = (connection) => resolve(new Side(connection, requests));
    });
    const connection = await connect({
      host: 'localhost',
      port: portOf(server),
      credentials: world.anonymous,
      framing: framing(),
      maxQueuedBytes: 16_384,
      onError: () => undefined,
    });
    return { client: new Side(connection, requests), server: await coming };
  }

  it(
    'lose nothing, invent nothing, report each end once, and leave no promise pending',
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(steps(requests), async (commands) => {
          const pair = await open();
          await fc.asyncModelRun(() => ({ model: {}, real: pair }), commands);
          await finish(pair);
          expectNothingInvented(pair.client, pair.server);
          expectNothingInvented(pair.server, pair.client);
          for (const { answers, ends, drained, connection } of [pair.client, pair.server]) {
            expect(ends).toBe(1);
            expect(drained).toBeLessThanOrEqual(1);
            for (const [asked, answer] of answers) expect(answer).toBe(`re: ${asked}`);
            expect(connection.stats()).toMatchObject({ requestsHandled: 0, requestsWaiting: 0 });
          }
        }),
        { numRuns: 40, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false },
      );
    },
  );
});
