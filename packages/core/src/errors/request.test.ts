import { describe, expect, it } from 'vitest';
import { RequestError } from './request.js';

const refusal = (option: string) =>
  expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option }) as Error;

describe('a RequestError', () => {
  it('carries its code and message', () => {
    expect(new RequestError('not-found', '')).toMatchObject({ code: 'not-found', message: '' });
    expect(new RequestError('é'.repeat(127), 'x').code).toHaveLength(127);
  });

  it.each<[string, unknown]>([
    ['a number', 404],
    ['nothing', undefined],
    ['null', null],
    ['an object', { code: 'x' }],
    ['a symbol', Symbol('x')],
    ['empty text', ''],
    ['text of 256 bytes', 'é'.repeat(128)],
  ])('refuses %s for a code where it is made', (_name, code) => {
    expect(() => new RequestError(code as string, 'x')).toThrow(refusal('code'));
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['an error', new Error('x')],
    ['a number', 1],
  ])('refuses %s for a message', (_name, message) => {
    expect(() => new RequestError('code', message as string)).toThrow(refusal('message'));
  });
});
