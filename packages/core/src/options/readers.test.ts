import { describe, expect, it } from 'vitest';
import * as options from './index.js';

const { duration, integer, LONGEST_WAIT, milliseconds, number, oneOf, optionalMilliseconds, text } = options;

describe('a reader', () => {
  it('gives back what it was given, or that nothing was', () => {
    expect(integer('max', 0)).toBe(0);
    expect(options.flag('resume', false)).toBe(false);
    expect(options.string('passphrase', '')).toBe('');
    expect(oneOf('rules', 'web', ['private', 'web'])).toBe('web');
    const nothing: { max?: number; host?: string; sni?: object } = {};
    expect(integer('max', nothing.max)).toBeUndefined();
    expect(text('host', nothing.host)).toBeUndefined();
    expect(options.record('sni', nothing.sni)).toBeUndefined();
    expect(optionalMilliseconds('idleTimeout', Infinity)).toBeNull();
  });

  it.each<[string, () => unknown]>([
    ['max must be a whole number of 1 or more, not 0', () => integer('max', 0, { min: 1 })],
    ['port must be a whole number from 0 to 65535, not 80.5', () => integer('port', 80.5, { max: 65_535 })],
    [
      'timeout must be a whole number of ms from 1 to 2147483647, not Infinity',
      () => milliseconds('timeout', Infinity),
    ],
    [
      'idleTimeout must be a number of ms, 1 or more (Infinity: off), not 0',
      () => duration('idleTimeout', 0),
    ],
    ['timeout must be a number of ms, from 1 to 9, not NaN', () => duration('timeout', NaN, { max: 9 })],
    ['days must be a number, not NaN', () => number('days', NaN)],
    ["reuse must be one of 'lifo', 'fifo', not 'lilo'", () => oneOf('reuse', 'lilo', ['lifo', 'fifo'])],
    ["host must be text, not ''", () => text('host', '')],
    ['name must be text, not an object', () => text('name', {} as never)],
    ['names must be a list of strings, not a list', () => options.texts('names', [7] as never)],
    ['at must be a valid Date, not an object', () => options.date('at', new Date(NaN))],
    [
      'signal must be an AbortSignal, not a function',
      () => options.abortSignal('signal', AbortSignal as never),
    ],
    [
      'dir must be the path of a file or folder, not an object',
      () => options.filePath('dir', new URL('file:///x') as never),
    ],
    ["max must be a number, not '" + 'x'.repeat(100) + "…'", () => number('max', 'x'.repeat(101) as never)],
    ['sni must be an object, not null', () => options.record('sni', null)],
  ])('%s', (sentence, read) => {
    expect(read).toThrow(
      expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', message: sentence }) as Error,
    );
  });

  it.each(['', 'a/b', 'a\\b', '.', '..', '.a', '-a', 'a b', 'a\nb', 'a\0', 'ä', 'a'.repeat(201)])(
    'takes %j for no name of a file',
    (name) => {
      expect(() => options.fileName('file', name)).toThrow(/^file must be the name of a file, not /);
    },
  );

  it('takes names of files that any file system takes, and paths of any kind without a NUL', () => {
    for (const name of ['a', '_wildcard.a.test', 'a'.repeat(200)])
      expect(options.fileName('file', name)).toBe(name);
    for (const path of ['.', '../a', '/a b/ä\n', 'a'.repeat(5_000)])
      expect(options.filePath('dir', path)).toBe(path);
    for (const path of ['', 'a\0b'])
      expect(() => options.filePath('dir', path)).toThrow(/^dir must be the path of a file or folder, not /);
  });

  it('takes the longest wait that timers know, and parts of milliseconds where they are left of one', () => {
    expect(milliseconds('timeout', LONGEST_WAIT)).toBe(LONGEST_WAIT);
    expect(duration('timeout', 1.5, { max: LONGEST_WAIT })).toBe(1.5);
    expect(() => milliseconds('timeout', LONGEST_WAIT + 1)).toThrow('must be');
    expect(() => duration('timeout', LONGEST_WAIT + 1, { max: LONGEST_WAIT })).toThrow('must be');
  });
});

describe('options as a whole', () => {
  const readers = { maxSize: options.integerWithin({}) } satisfies options.OptionReaders<{
    maxSize?: number;
  }>;

  it.each<[string, string, object | null]>([
    ['max_size', 'there is no option max_size; did you mean maxSize?', { max_size: 1 }],
    ['color', 'there is no option color', { color: 1 }],
    ['toString', 'there is no option toString', { toString: 1 }],
    ['maxSize', "maxSize must be a whole number of 0 or more, not '3'", { maxSize: '3' }],
    ['options', 'options must be an object, not null', null],
    ['options', 'options must be an object, not a list', []],
  ])('%s: %s', (option, message, given) => {
    const refused = expect.objectContaining({ option, message }) as Error;
    expect(() => options.checkOptions(given as { maxSize?: number }, readers)).toThrow(refused);
    if (option !== 'maxSize') expect(() => options.readAllOptions(given as never, readers)).toThrow(refused);
  });

  it('are read with their defaults', () => {
    const table = {
      maxSize: options.withDefault<number>(options.integerWithin({ min: 1 }), 8),
      order: options.withDefault(options.word('lifo', 'fifo'), 'lifo'),
      name: text<string | undefined>,
    };
    expect(options.readAllOptions({}, table)).toEqual({ maxSize: 8, order: 'lifo', name: undefined });
    expect(options.readAllOptions({ maxSize: 1, order: 'fifo', name: 'x' }, table)).toEqual({
      maxSize: 1,
      order: 'fifo',
      name: 'x',
    });
    expect(table.maxSize.fallback).toBe(8);
    const refused = expect.objectContaining({
      option: 'pool.maxSize',
      message: 'pool.maxSize must be a whole number of 1 or more, not 0',
    }) as Error;
    expect(() => options.readOptions({ maxSize: 0 }, table, 'pool')).toThrow(refused);
  });

  it('are read by one of several tables, which leaves the others theirs', () => {
    const table = { maxSize: options.withDefault<number>(options.integerWithin({}), 8) };
    expect(options.readOptions({ maxSize: 2, other: true }, table)).toEqual({ maxSize: 2 });
  });

  it('names the option that they are the options of', () => {
    const refused = expect.objectContaining({ option: 'backOff.maxsize' }) as Error;
    expect(() => options.checkOptions({ maxsize: 1 } as { maxSize?: number }, readers, 'backOff')).toThrow(
      refused,
    );
    const absent = expect.objectContaining({ option: 'backOff' }) as Error;
    expect(() => options.refuseUnknown(undefined as never, {}, 'backOff')).toThrow(absent);
  });
});
