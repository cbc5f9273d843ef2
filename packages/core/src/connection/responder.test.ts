import { describe, expect, it } from 'vitest';
import { Responder } from './responder.js';

type Request = {
  id: number;
  cancelled: Error | null;
  cancel(reason: Error): void;
};

function request(id: number): Request {
  return {
    id,
    cancelled: null,
    cancel(reason: Error) {
      this.cancelled = reason;
    },
  };
}

function responder(handler: (request: never) => unknown) {
  const events: string[] = [];
  const subject = new Responder<string, string>({
    answer: ({ id }, result) => events.push(`${id}: ${result}`),
    fail: ({ id }, error) => events.push(`${id} failed: ${(error as Error).message}`),
    idle: () => events.push('idle'),
  });
  subject.handler = handler as never;
  return {
    subject,
    events,
    run: (item: Request) => {
      subject.run(item as never);
    },
  };
}

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Responder', () => {
  it('hands a result on at once where the handler has one', () => {
    const { run, events, subject } = responder(() => 'yes');
    run(request(1));
    expect(events).toEqual(['1: yes']);
    expect(subject.size).toBe(0);
  });

  it('answers each request once, whichever way its handler ends', async () => {
    const { run, events } = responder(({ id }: { id: number }) => {
      if (id === 1) throw new Error('thrown');
      return id === 2 ? Promise.reject(new Error('rejected')) : Promise.resolve('resolved');
    });
    for (const id of [1, 2, 3]) run(request(id));
    await later();
    expect(events).toEqual(['1 failed: thrown', '2 failed: rejected', '3: resolved', 'idle']);
  });

  it('tells running handlers of a cancellation, and still takes their answer', async () => {
    let finish: (answer: string) => void = () => undefined;
    const { run, events, subject } = responder(() => new Promise<string>((resolve) => (finish = resolve)));
    const running = request(7);
    run(running);
    const reason = new Error('cancelled');
    subject.cancel(8, new Error('another'));
    subject.cancel(7, reason);
    expect(running.cancelled).toBe(reason);
    finish('late');
    await later();
    expect(events).toEqual(['7: late', 'idle']);
  });

  it('takes any thenable for an answer to come', async () => {
    const { run, events } = responder(() => ({
      then: (resolve: (answer: string) => void) => {
        resolve('odd');
      },
    }));
    run(request(1));
    await later();
    expect(events).toContain('1: odd');
  });
});
