import type { X509Certificate } from '@knsock/core/x509';
import { expect, it } from 'vitest';
import { readSuggestion, renewalId } from './renewal-info.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const now = new Date('2030-01-01T00:00:00Z');
const at = (ms: number) => new Date(now.getTime() + ms);

const certificate = (place = 0.5) =>
  ({
    fingerprint256:
      '00000000' +
      Math.floor(place * 0xffffffff)
        .toString(16)
        .padStart(8, '0') +
      '0'.repeat(48),
    notBefore: at(-10 * DAY),
    notAfter: at(10 * DAY),
    authorityKeyIdentifier: {
      keyIdentifier: Buffer.from('69885b6b87464041e1b37b847ba0ae2cde01c8d4', 'hex'),
    },
    serialBytes: Buffer.from('0087654321', 'hex'),
  }) as unknown as X509Certificate;

const reply = (body: unknown, { retryAfter, clock = now }: { retryAfter?: string; clock?: Date } = {}) => ({
  status: 200,
  headers: { 'retry-after': retryAfter },
  text: JSON.stringify(body),
  now: clock,
});
const window = (from: Date, to: Date, more: object = {}) => ({
  suggestedWindow: { start: from.toISOString(), end: to.toISOString() },
  ...more,
});

it('identifies a certificate as the example of RFC 9773 §4.1', () => {
  expect(renewalId(certificate())).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
});

it('selects a moment of the window, the same one whenever it is asked', () => {
  const answer = reply(window(at(DAY), at(3 * DAY), { explanationURL: 'https://ca.test/why' }));
  const suggestions = [0, 0.5, 1].map((place) => readSuggestion(answer, certificate(place), now));
  const days = suggestions.map(({ dueAt }) => (dueAt.getTime() - now.getTime()) / DAY);
  expect(days[0]).toBeCloseTo(1, 5);
  expect(days[1]).toBeCloseTo(2, 5);
  expect(days[2]).toBeCloseTo(3, 5);
  expect(suggestions[0]?.explanationUrl).toBe('https://ca.test/why');
  expect(readSuggestion(answer, certificate(0.5), at(0))).toEqual(suggestions[1]);
});

it("bears a clock that differs from the server's", () => {
  const clock = at(2 * DAY);
  const { dueAt } = readSuggestion(
    reply(window(at(3 * DAY), at(3 * DAY + 2)), { clock }),
    certificate(),
    now,
  );
  expect((dueAt.getTime() - now.getTime()) / DAY).toBeCloseTo(1, 5);
});

it('asks again when the server says so, within a minute and a day', () => {
  const again = (retryAfter?: string) =>
    readSuggestion(
      reply(window(at(DAY), at(2 * DAY)), retryAfter === undefined ? {} : { retryAfter }),
      certificate(),
      now,
    ).lookAgainIn;
  expect(again('1')).toBe(MINUTE);
  expect(again('7200')).toBe(120 * MINUTE);
  expect(again('999999999')).toBe(DAY);
  expect(again()).toBe(360 * MINUTE);
});

it('renews before the end, however late the window is', () => {
  const { dueAt } = readSuggestion(reply(window(at(100 * DAY), at(200 * DAY))), certificate(), now);
  expect(dueAt).toEqual(at(9 * DAY));
});

it.each([
  [{}],
  [[]],
  ['text'],
  [{ suggestedWindow: { start: 'x', end: 'y' } }],
  [window(at(DAY), at(DAY))],
  [window(at(2 * DAY), at(DAY))],
])('refuses %j', (body) => {
  expect(() => readSuggestion(reply(body), certificate(), now)).toThrow(
    expect.objectContaining({ code: 'KNSOCK_ACME_DIRECTORY' }),
  );
});
