import { describe, expect, it, vi } from 'vitest';
import { Activity } from './activity.js';
import { Responder, type ReceivedRequest } from './responder.js';

type Handler = (request: ReceivedRequest<string, string>) => unknown;

function responder(handler: Handler, activity = new Activity()) {
  const events: string[] = [];
  const subject = new Responder<string, string>(
    {
      answer: ({ id }, result) => events.push(`${id}: ${result}`),
      fail: ({ id }, error) => events.push(`${id} failed: ${error.message}`),
      signalFailed: ({ id }, error) => events.push(`${id}'s signal: ${(error as Error).message}`),
      finished: () => events.push('finished'),
    },
    activity,
  );
  subject.handler = handler as never;
  const run = (id: number): void => {
    subject.run(id, 'payload', { id: 0 } as never);
  };
  return { subject, events, run };
}

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Responder', () => {
  it('passes a result on at once where the handler has one', () => {
    const { run, events, subject } = responder(() => 'yes');
    run(1);
    expect(events).toEqual(['1: yes']);
    expect(subject.size).toBe(0);
  });

  it('answers each request once, in whichever way its handler ends', async () => {
    const { run, events } = responder(({ id }) => {
      if (id === 1) throw new Error('thrown');
      return id === 2 ? Promise.reject(new Error('rejected')) : Promise.resolve('resolved');
    });
    for (const id of [1, 2, 3]) run(id);
    await later();
    expect(events).toEqual(['1 failed: thrown', '2 failed: rejected', 'finished', '3: resolved', 'finished']);
  });

  it('notifies running handlers of a cancellation, and still accepts their answer', async () => {
    let finish: (answer: string) => void = () => undefined;
    let signal: AbortSignal | undefined;
    const { run, events, subject } = responder((request) => {
      ({ signal } = request);
      return new Promise<string>((resolve) => (finish = resolve));
    });
    run(7);
    const reason = new Error('cancelled');
    const needless = vi.fn(() => new Error('another'));
    subject.cancel(8, needless);
    subject.cancel(7, () => reason);
    subject.cancel(7, needless);
    expect(needless).not.toHaveBeenCalled();
    expect(signal?.reason).toBe(reason);
    finish('late');
    await later();
    expect(events).toEqual(['7: late', 'finished']);
  });

  it.each<[string, (reason: Error) => Error, 'peer' | 'us', boolean]>([
    ["the peer's reason itself", (reason) => reason, 'peer', true],
    [
      "an error caused by the peer's reason",
      (reason) => new Error('aborted', { cause: reason }),
      'peer',
      true,
    ],
    ['another error', () => new Error('disk'), 'peer', false],
    ['our own reason: the peer still waits', (reason) => reason, 'us', false],
  ])('knows whether a handler stopped because its request was given up: %s', (_, thrown, by, isStopped) => {
    let received!: ReceivedRequest<string, string>;
    const { run, subject } = responder((request) => {
      received = request;
      return new Promise(() => undefined);
    });
    run(7);
    const reason = new Error('given up');
    expect(received.isStoppedBy(thrown(reason))).toBe(false);
    subject.cancelAll(reason, by);
    expect(received.isStoppedBy(thrown(reason))).toBe(isStopped);
  });

  it('awaits any thenable as an answer', async () => {
    const { run, events } = responder(() => ({
      then: (resolve: (answer: string) => void) => {
        resolve('odd');
      },
    }));
    run(1);
    await later();
    expect(events).toContain('1: odd');
  });

  it('notifies a request once that the connection drains, whenever it reads the signal', () => {
    const requests: ReceivedRequest<string, string>[] = [];
    const { run, subject } = responder((request) => {
      requests.push(request);
      return new Promise(() => undefined);
    });
    run(1);
    const early = requests[0]?.draining;
    expect(early?.aborted).toBe(false);
    const reason = new Error('draining');
    subject.drain(() => reason);
    subject.drain(() => new Error('again'));
    run(2);
    expect([early?.reason, requests[1]?.draining.reason]).toEqual([reason, reason]);
    expect(requests[1]?.signal.aborted).toBe(false);
  });

  it("doesn't count a request whose handler only waits for the connection's end", () => {
    const activity = new Activity();
    const { run, subject } = responder(({ id }) => {
      if (id === 1) activity.read(0);
      return new Promise(() => undefined);
    }, activity);
    run(1);
    expect([subject.size, subject.working]).toEqual([1, 0]);
    run(2);
    expect([subject.size, subject.working]).toEqual([2, 1]);
  });
});
