import { describe, expect, it } from 'vitest';
import { isUnchangeable } from './unchangeable.js';

const references = new Set(['credentials']);
const deep = Object.freeze({ list: Object.freeze(['a', Object.freeze({ b: 1 })]), n: 1, f: () => 1 });

describe('isUnchangeable', () => {
  it.each([
    ['nothing', Object.freeze({})],
    ['frozen parts', deep],
    ['what is used by reference', Object.freeze({ credentials: { current: 1 } })],
    ['no prototype', Object.freeze(Object.assign(Object.create(null) as object, { port: 1 }))],
  ])('is true for a frozen object with %s', (_what, options) => {
    expect(isUnchangeable(options, references)).toBe(true);
  });

  it.each([
    ['that is not frozen', { port: 1 }],
    ['with a list that is not', Object.freeze({ pins: ['a'] })],
    ['with an object that is not, deeper', Object.freeze({ a: Object.freeze({ b: {} }) })],
    [
      'with a getter',
      Object.freeze({
        get port() {
          return 1;
        },
      }),
    ],
    ['with bytes', Object.freeze({ ca: Buffer.alloc(1) })],
    ['with a map', Object.freeze({ a: Object.freeze(new Map()) })],
    ['that inherits', Object.freeze(Object.create({ port: 1 }) as object)],
    ['with a symbol', Object.freeze({ [Symbol('a')]: 1 })],
  ])('is false for one %s', (_what, options) => {
    expect(isUnchangeable(options, references)).toBe(false);
  });
});
