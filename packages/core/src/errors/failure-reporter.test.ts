import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FailureReporter, noConnection } from './failure-reporter.js';
import { FailureWarnings } from './failure-warnings.js';
import { ConnectionClosedError } from './index.js';

const connection = { id: 7, remote: { address: '::1', port: 8443 } };
const ofConnection = { connection, request: null };

let emitted: { message: string; detail: string }[];
let warnings: FailureWarnings;

beforeEach(() => {
  vi.useFakeTimers();
  emitted = [];
  warnings = new FailureWarnings((message, { detail }) => emitted.push({ message, detail }));
});
afterEach(() => {
  vi.useRealTimers();
});
const messages = () => emitted.map(({ message }) => message);

describe('with onError', () => {
  it('hands over the error and where it came from, and warns of nothing', () => {
    const listener = vi.fn();
    const request = { payload: 'x' };
    const error = new Error('boom');
    new FailureReporter(listener, warnings).report(error, { connection, request });
    expect(listener).toHaveBeenCalledExactlyOnceWith(error, { connection, request });
    expect(emitted).toEqual([]);
  });

  it.each([
    ['text', 'just text', 'just text'],
    ['nothing', undefined, 'undefined'],
    ['an object without a prototype', Object.create(null), '[Object: null prototype] {}'],
    [
      "an object that can't be shown",
      { [Symbol.for('nodejs.util.inspect.custom')]: () => { throw new Error('no'); } }, // prettier-ignore
      "a value that can't be shown was thrown",
    ],
  ])('makes an error of %s that was thrown', (_name, thrown, message) => {
    const listener = vi.fn<(error: Error) => void>();
    new FailureReporter(listener, warnings).report(thrown, noConnection);
    const [error] = listener.mock.calls[0] as [Error];
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe(message);
    // A cause that can't be shown would end programs that print the error.
    if (message !== "a value that can't be shown was thrown") expect(error.cause).toBe(thrown);
  });

  it('takes what it ran throws or rejects with, and no result', async () => {
    const listener = vi.fn<(error: Error, context: unknown) => void>();
    const reporter = new FailureReporter(listener, warnings);
    reporter.run(() => 'done', noConnection);
    reporter.run(() => Promise.resolve('done'), noConnection);
    reporter.run(() => {
      throw new Error('thrown');
    }, ofConnection);
    reporter.run(() => Promise.reject(new Error('rejected')), ofConnection);
    await Promise.resolve();
    expect(listener.mock.calls.map(([{ message }]) => message)).toEqual(['thrown', 'rejected']);
    expect(listener.mock.calls.map(([, context]) => context)).toEqual([ofConnection, ofConnection]);
    expect(emitted).toEqual([]);
  });

  it('warns of its own failure and of what was reported to it, whether it throws or rejects', async () => {
    for (const listener of [
      () => {
        throw new TypeError('in the listener');
      },
      () => Promise.reject(new TypeError('in the listener')),
    ]) {
      emitted = [];
      const fresh = new FailureWarnings((message, { detail }) => emitted.push({ message, detail }));
      new FailureReporter(listener, fresh).report(new Error('boom'), ofConnection);
      await Promise.resolve();
      expect(messages()).toEqual([
        expect.stringContaining('onError failed on connection 7 with [::1]:8443: TypeError: in the listener'),
        expect.stringContaining('handler failed on connection 7 with [::1]:8443: Error: boom'),
      ]);
    }
  });
});

describe('without onError', () => {
  it('warns with the code, the connection and its address, and the stack', () => {
    const error = new ConnectionClosedError(false, 'gone');
    new FailureReporter(null, warnings).report(error, { connection, request: {} });
    expect(messages()).toEqual([
      'a request handler failed on connection 7 with [::1]:8443: KNSOCK_CONNECTION_CLOSED: gone. ' +
        'Set onError to handle such errors',
    ]);
    expect(emitted[0]?.detail).toContain('failure-reporter.test');
  });

  it('warns once a kind and minute, and then of how many there were', () => {
    const reporter = new FailureReporter(null, warnings);
    for (let i = 0; i < 100; i += 1) reporter.report(new Error(`boom ${i}`), ofConnection);
    reporter.report(new TypeError('another kind'), ofConnection);
    reporter.report(new Error('elsewhere'), noConnection, 'a rotation');
    expect(messages()).toHaveLength(3);
    vi.advanceTimersByTime(59_999);
    expect(messages()).toHaveLength(3);
    vi.advanceTimersByTime(1);
    expect(messages().slice(3)).toEqual([
      expect.stringMatching(/Error: boom 99; 98 more of this kind in the last minute\./),
    ]);
    vi.advanceTimersByTime(600_000);
    reporter.report(new Error('much later'), ofConnection);
    expect(messages()[4]).not.toContain('more of this kind');
    expect(messages()).toHaveLength(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('remembers a bounded number of kinds, and counts the rest as one', () => {
    const reporter = new FailureReporter(null, warnings);
    const of = (code: string) => Object.assign(new Error('x'), { code });
    for (let i = 0; i < 1_000; i += 1) reporter.report(of(`KIND_${i}`), noConnection);
    expect(messages()).toHaveLength(65);
    vi.advanceTimersByTime(120_000);
    reporter.report(of('NEW'), noConnection);
    expect(messages().at(-1)).toContain('NEW: x');
  });

  it("escapes what would move a terminal's cursor", () => {
    new FailureReporter(null, warnings).report(new Error('\u001b[2J\nfake line\u2028'), noConnection);
    expect(messages()[0]).toContain('\\u{1b}[2J\\u{a}fake line\\u{2028}');
    expect(emitted[0]?.detail).not.toContain('\u001b');
  });

  it('survives errors whose own properties throw', () => {
    const hostile = new Error('x');
    Object.defineProperty(hostile, 'code', { get: () => { throw new Error('no'); } }); // prettier-ignore
    expect(() => new FailureReporter(null, warnings).report(hostile, noConnection)).not.toThrow();
    expect(messages()).toEqual([expect.stringContaining("a value that can't be shown was thrown")]);
  });

  it.each<[string, object]>([
    [
      'whose stack throws',
      {
        get: () => {
          throw new Error('no');
        },
      },
    ],
    ['whose stack is no text', { value: Symbol('x') }],
  ])('tells of an error %s', (_, stack) => {
    const hostile = Object.defineProperty(new Error('x'), 'stack', stack);
    new FailureReporter(null, warnings).report(hostile, noConnection);
    expect(messages()).toEqual([expect.stringContaining("an error that can't be shown")]);
  });
});
