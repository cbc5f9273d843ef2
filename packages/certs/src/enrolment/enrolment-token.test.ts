import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatToken, parseToken } from './enrolment-token.js';

const token = {
  address: '[fd00::7]:9443',
  root: '1f'.repeat(32),
  id: '0123456789abcdef',
  secret: 'wtr6cDfBkn-9_WWkLwVa7nQ1m5aY2vZx',
  kind: 'client' as const,
  names: ['agent-7.example', 'spiffe://example/agent-7'],
};

it('reads what it writes, as one word that no shell cuts', () => {
  const word = formatToken(token);
  expect(word).toMatch(/^[\w.-]+$/);
  expect(parseToken(` ${word}\n`)).toEqual(token);
});

it('refuses one that is cut short, at any place, and never shows its secret', () => {
  const word = formatToken(token);
  for (let length = 0; length < word.length; length += 1) {
    const error = failureOf(word.slice(0, length));
    expect(error).toMatchObject({ code: 'KNSOCK_CERTIFICATE_TOKEN' });
    expect(String((error as Error).stack)).not.toContain(token.secret);
  }
});

it('refuses anything else with the same error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json().map((json) => `knsock1.${Buffer.from(json).toString('base64url')}`),
      ),
      (text) => {
        expect(failureOf(text)).toMatchObject({ code: 'KNSOCK_CERTIFICATE_TOKEN' });
      },
    ),
  );
});

function failureOf(text: string): unknown {
  try {
    return parseToken(text);
  } catch (error) {
    return error;
  }
}
