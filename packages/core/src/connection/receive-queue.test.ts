import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ReceiveQueue, type MessageListener } from './receive-queue.js';
import { TurnBudget } from './turn-budget.js';

function queue(maxWorking = 128) {
  const working: unknown[] = [];
  const events = {
    emptied: vi.fn(),
    idle: vi.fn(),
    endTold: vi.fn(),
    isAnswerQueueFull: false,
    callListener: (listener: MessageListener<never>, message: unknown) => {
      const result = listener(message as never);
      if (!(result instanceof Promise)) return false;
      working.push(result);
      return true;
    },
  };
  const budget = new TurnBudget({ goOn: () => box.serve() });
  const box = new ReceiveQueue<string>(events, budget, maxWorking);
  return { box, events, working };
}

describe('ReceiveQueue', () => {
  it('keeps messages until the program takes them, in any of the ways', async () => {
    const { box } = queue();
    for (const message of ['a', 'b', 'c', 'd']) box.push(message, 1);
    expect(await box.receive(undefined, undefined)).toBe('a');
    expect(await box.iterate().next()).toEqual({ value: 'b', done: false });
    const heard: string[] = [];
    box.listen((message) => heard.push(message));
    box.push('e', 1);
    expect(heard).toEqual(['c', 'd', 'e']);
    expect(box.heldBytes).toBe(0);
  });

  it("counts the overhead of a message beside its payload, so that empty ones can't fill the memory", () => {
    const { box } = queue();
    for (let i = 0; i < 1_000; i++) box.push('', 0);
    expect(box.heldBytes).toBeGreaterThanOrEqual(100_000);
  });

  it('holds messages back while an asynchronous listener handles its maximum', () => {
    const { box } = queue(2);
    const told: string[] = [];
    for (const message of ['a', 'b', 'c']) box.push(message, 1);
    box.listen((message) => {
      told.push(message);
      return new Promise(() => undefined);
    });
    box.push('d', 1);
    expect(told).toEqual(['a', 'b']);
    box.worked();
    expect(told).toEqual(['a', 'b', 'c']);
    box.worked();
    box.worked();
    box.push('e', 1);
    expect(told).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('ends a wait with null, or with the error that ended the connection', async () => {
    const { box } = queue();
    const waiting = box.receive(undefined, undefined);
    box.end(undefined);
    expect(await waiting).toBeNull();
    expect(await box.iterate().next()).toEqual({ value: undefined, done: true });
    const { box: failing } = queue();
    const error = new Error('cut');
    failing.push('last', 4);
    failing.end(error);
    expect(await failing.receive(undefined, undefined)).toBe('last');
    await expect(failing.receive(undefined, undefined)).rejects.toBe(error);
  });

  it("rejects with the signal's reason and gives the next message to the next wait", async () => {
    const { box } = queue();
    const controller = new AbortController();
    const aborted = box.receive(controller.signal, undefined);
    const second = box.receive(undefined, undefined);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    box.push('a', 1);
    expect(await second).toBe('a');
    await expect(box.receive(controller.signal, undefined)).rejects.toBe(reason);
  });

  it('reports how long it waited on timeout, and loses no message', async () => {
    vi.useFakeTimers();
    try {
      const { box } = queue();
      const waiting = expect(box.receive(undefined, 50)).rejects.toMatchObject({
        code: 'KNSOCK_RECEIVE_TIMEOUT',
        ms: 50,
        phase: 'receive',
      });
      await vi.advanceTimersByTimeAsync(50);
      await waiting;
      box.push('a', 1);
      expect(await box.receive(undefined, 50)).toBe('a');
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('holds messages back while paused, also when the listener itself pauses', () => {
    const { box } = queue();
    const heard: string[] = [];
    for (const message of ['a', 'b', 'c']) box.push(message, 1);
    box.listen((message) => {
      heard.push(message);
      if (message === 'b') box.pause();
    });
    expect(heard).toEqual(['a', 'b']);
    box.push('d', 1);
    box.resume();
    expect(heard).toEqual(['a', 'b', 'c', 'd']);
  });

  it("passes on an asynchronous listener's promise", () => {
    const { box, working } = queue();
    const work = Promise.resolve();
    box.listen(() => work);
    box.push('a', 1);
    expect(working).toEqual([work]);
  });

  it('reports that the program waits, and that all was taken', () => {
    const { box, events } = queue();
    void box.receive(undefined, undefined);
    expect(events.idle).toHaveBeenCalledOnce();
    box.push('a', 1);
    box.push('b', 1);
    void box.receive(undefined, undefined);
    expect(events.emptied).toHaveBeenCalledOnce();
  });

  it('has one consumer: a second is refused with a message, and the first continues', async () => {
    const refused = expect.objectContaining({ code: 'KNSOCK_CONSUMED' }) as Error;
    const { box: listening } = queue();
    const heard: string[] = [];
    listening.listen((message) => heard.push(message));
    expect(() => listening.listen(() => undefined)).toThrow(refused);
    await expect(listening.receive(undefined, undefined)).rejects.toEqual(refused);
    await expect(listening.iterate().next()).rejects.toEqual(refused);
    listening.push('a', 1);
    expect(heard).toEqual(['a']);
    const { box: pulled } = queue();
    const waiting = pulled.receive(undefined, undefined);
    expect(() => pulled.listen(() => undefined)).toThrow(refused);
    pulled.push('b', 1);
    expect(await waiting).toBe('b');
    pulled.listen((message) => heard.push(message));
    pulled.push('c', 1);
    expect(heard).toEqual(['a', 'c']);
  });

  it('settles every wait at the end, also those begun while it was paused', async () => {
    const { box } = queue();
    box.push('one', 3);
    box.pause();
    const waits = [box.receive(undefined, undefined), box.receive(undefined, undefined)];
    box.end(undefined);
    box.resume();
    expect(await Promise.all(waits)).toEqual(['one', null]);
  });

  it('delivers no more to a listener while its answers wait for the peer', () => {
    const { box, events } = queue();
    const heard: string[] = [];
    box.listen((message) => {
      heard.push(message);
      events.isAnswerQueueFull = heard.length === 2;
    });
    for (const message of ['a', 'b', 'c']) box.push(message, 1);
    expect(heard).toEqual(['a', 'b']);
    events.isAnswerQueueFull = false;
    box.serve();
    expect(heard).toEqual(['a', 'b', 'c']);
  });

  it('yields in the middle of a batch, and loses nothing', async () => {
    const { box } = queue();
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    try {
      const heard: string[] = [];
      box.listen((message) => {
        heard.push(message);
        now += 1;
      });
      for (let count = 0; count < 200; count++) box.push(String(count), 1);
      expect(heard.length).toBeLessThan(50);
      await vi.waitFor(() => expect(heard).toHaveLength(200));
      expect(heard).toEqual(Array.from({ length: 200 }, (_, index) => String(index)));
    } finally {
      clock.mockRestore();
    }
  });

  it('loses, duplicates and reorders nothing after any sequence of calls', async () => {
    const step = fc.constantFrom('push', 'receive', 'next', 'pause', 'resume', 'abort');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (history) => {
        const { box } = queue();
        const taken: Promise<string | null>[] = [];
        let pushed = 0;
        for (const act of history) {
          if (act === 'push') box.push(String(pushed++), 1);
          else if (act === 'receive') taken.push(box.receive(undefined, undefined));
          else if (act === 'next')
            taken.push(
              box
                .iterate()
                .next()
                .then(({ value }) => (value as string | undefined) ?? null),
            );
          else if (act === 'abort') {
            const controller = new AbortController();
            const given = box.receive(controller.signal, undefined);
            controller.abort(new Error('aborted'));
            taken.push(given.catch(() => 'aborted'));
          } else box[act]();
        }
        box.resume();
        box.end(undefined);
        const results = (await Promise.all(taken)).filter(
          (result) => result !== null && result !== 'aborted',
        );
        let left: string | null;
        while ((left = await box.receive(undefined, undefined)) !== null) results.push(left);
        expect(results.map(Number).sort((a, b) => a - b)).toEqual(
          Array.from({ length: pushed }, (_, i) => i),
        );
        expect(results).toEqual([...results].sort((a, b) => Number(a) - Number(b)));
        expect(box.heldBytes).toBe(0);
      }),
    );
  });
});

describe('what a receive queue knows of its program', () => {
  it('is how many messages were pulled, in either way, and none that a listener received', async () => {
    const { box } = queue();
    for (const message of ['a', 'b']) box.push(message, 1);
    await box.receive(undefined, undefined);
    await box.iterate().next();
    expect(box.pulled).toBe(2);
    const waiting = box.receive(undefined, undefined);
    box.push('c', 1);
    await waiting;
    expect(box.pulled).toBe(3);
    box.listen(() => undefined);
    box.push('d', 1);
    expect(box.pulled).toBe(3);
  });

  it.each<[string, (box: ReceiveQueue<string>) => unknown]>([
    ['receive()', (box) => box.receive(undefined, undefined)],
    ['an iteration', (box) => box.iterate().next()],
    ['a listener', (box) => box.listen(() => undefined)],
  ])('is whether it ever asked for messages: by %s', (_, ask) => {
    for (const held of [false, true]) {
      const { box } = queue();
      if (held) box.push('a', 1);
      expect(box.consumed).toBe(false);
      void ask(box);
      expect(box.consumed).toBe(true);
    }
  });

  it('is whether it listens, and whether it is paused', () => {
    const { box } = queue();
    expect([box.isListening, box.paused]).toEqual([false, false]);
    box.listen(() => undefined);
    box.pause();
    expect([box.isListening, box.paused]).toEqual([true, true]);
    box.resume();
    expect(box.paused).toBe(false);
  });

  it('is whether it took every message and waits for more', async () => {
    const { box, events } = queue();
    expect(box.isParked).toBe(false);
    const waiting = box.receive(undefined, undefined);
    expect([box.isParked, events.idle.mock.calls.length]).toEqual([true, 1]);
    box.push('a', 1);
    await waiting;
    expect(box.isParked).toBe(false);
    box.pause();
    box.push('b', 1);
    const held = box.receive(undefined, undefined);
    // It waits, but not for the peer.
    expect([box.isParked, events.idle.mock.calls.length]).toEqual([false, 1]);
    box.resume();
    expect(await held).toBe('b');
  });

  it('is whether it was notified of the end', async () => {
    const untold = queue();
    untold.box.end(undefined);
    expect([untold.box.endTold, untold.events.endTold.mock.calls.length]).toEqual([false, 0]);
    await untold.box.receive(undefined, undefined);
    expect([untold.box.endTold, untold.events.endTold.mock.calls.length]).toEqual([true, 1]);
    const told = queue();
    const waiting = told.box.receive(undefined, undefined);
    told.box.end(undefined);
    await waiting;
    expect([told.box.endTold, told.events.endTold.mock.calls.length]).toEqual([true, 1]);
  });
});

describe('messages that are pulled', () => {
  it('go to the calls in the order of the calls, also around a pause', async () => {
    const { box } = queue();
    box.pause();
    const first = box.receive(undefined, undefined);
    for (const message of ['a', 'b', 'c']) box.push(message, 1);
    const second = box.iterate().next();
    box.resume();
    const third = box.receive(undefined, undefined);
    expect(await Promise.all([first, second, third])).toEqual(['a', { value: 'b', done: false }, 'c']);
  });

  it('are iterated until the loop is left, and what follows is still there', async () => {
    const { box } = queue();
    for (const message of ['a', 'b', 'c']) box.push(message, 1);
    const got: string[] = [];
    for await (const message of box.iterate()) {
      got.push(message);
      if (message === 'b') break;
    }
    expect(got).toEqual(['a', 'b']);
    expect(await box.receive(undefined, undefined)).toBe('c');
    expect(await box.iterate().return?.()).toEqual({ value: undefined, done: true });
  });

  it('are only those not taken before, where another consumer takes the rest', async () => {
    const { box } = queue();
    for (const message of ['a', 'b', 'c']) box.push(message, 1);
    await box.receive(undefined, undefined);
    expect(box.takeAll()).toEqual(['b', 'c']);
    expect([box.length, box.heldBytes, box.takeAll()]).toEqual([0, 0, []]);
    box.push('d', 7);
    const { heldBytes } = box;
    expect(await box.receive(undefined, undefined)).toBe('d');
    expect([heldBytes > 7, box.heldBytes]).toEqual([true, 0]);
  });

  it('end by the first end only', async () => {
    const { box } = queue();
    box.end(undefined);
    box.end(new Error('later'));
    expect(await box.receive(undefined, undefined)).toBeNull();
  });

  it('leave neither a timer nor a listener behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { box } = queue();
      for (const settle of [() => box.push('a', 1), () => box.end(undefined)]) {
        const { signal } = new AbortController();
        const waiting = box.receive(signal, 1_000);
        expect([vi.getTimerCount(), getEventListeners(signal, 'abort').length]).toEqual([1, 1]);
        settle();
        await waiting;
        expect([vi.getTimerCount(), getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
      }
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a receive that isn't awaited", () => {
  function reporting() {
    const reported: [string, string][] = [];
    const { box: _, events } = queue();
    const failures = {
      named: <E extends Error>(error: E) => error,
      unawaited: (error: Error, what: string) => void reported.push([error.message, what]),
    };
    const budget = new TurnBudget({ goOn: () => undefined });
    return { box: new ReceiveQueue<string>(events, budget, 128, failures), reported };
  }
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('has its failure reported, whether it failed at once or later', async () => {
    const { box, reported } = reporting();
    void box.receive(undefined, undefined);
    box.end(new Error('cut'));
    void box.receive(undefined, undefined);
    await settled();
    expect(reported).toEqual([
      ['cut', 'a receive'],
      ['cut', 'a receive'],
    ]);
  });

  it("isn't reported where its own signal ended it", async () => {
    const { box, reported } = reporting();
    const controller = new AbortController();
    void box.receive(controller.signal, undefined);
    controller.abort(new Error('enough'));
    await settled();
    expect(reported).toEqual([]);
  });

  it("isn't reported where it is awaited later", async () => {
    const { box, reported } = reporting();
    const waiting = box.receive(undefined, undefined);
    const failed = expect(waiting).rejects.toThrow('cut');
    box.end(new Error('cut'));
    await failed;
    await settled();
    expect(reported).toEqual([]);
  });
});
