import { describe, expect, it } from 'vitest';
import type { AlpnChallenge } from '../credentials/source.js';
import { makeCertificate } from '../testing/made-certificates.js';
import { ChallengeContexts } from './challenge-contexts.js';

function challenge(): AlpnChallenge {
  const { pem, keyPem } = makeCertificate({ commonName: 'a.test', names: ['a.test'] });
  return { cert: pem, key: keyPem };
}

const contexts = () => new ChallengeContexts(1_000, { secured: () => undefined, failed: () => undefined });

describe('the context of a challenge', () => {
  const one = challenge();
  const two = challenge();

  it('is made once, whatever object says it, and anew with another challenge', () => {
    const made = contexts();
    const first = made.of('a.test', one);
    expect(made.of('a.test', { ...one })).toBe(first);
    const second = made.of('a.test', two);
    expect(second).not.toBe(first);
    expect(made.of('a.test', two)).toBe(second);
  });

  it("is one name's", () => {
    const made = contexts();
    expect(made.of('a.test', one)).not.toBe(made.of('b.test', one));
  });

  it('is forgotten once nothing is pending', () => {
    const made = contexts();
    const first = made.of('a.test', one);
    expect(made.of('a.test', undefined)).toBeNull();
    expect(made.of('a.test', one)).not.toBe(first);
  });

  it('takes the place of the oldest where there are many', () => {
    const made = contexts();
    const names = Array.from({ length: 101 }, (_, index) => `${index}.test`);
    const all = names.map((name) => made.of(name, one));
    expect(made.of('1.test', one)).toBe(all[1]);
    expect(made.of('0.test', one)).not.toBe(all[0]);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['null', () => null, /or undefined$/],
    ['a word', () => 'challenge', /or undefined$/],
    ['bytes', () => ({ cert: Buffer.from(one.cert), key: one.key }), /or undefined$/],
    ['no key', () => ({ cert: one.cert }), /or undefined$/],
    ['a promise', () => Promise.resolve(one), /, not a promise$/],
    // Unheard, its rejection would end this process.
    ['a promise that rejects', () => Promise.reject(new Error('later')), /, not a promise$/],
  ])("isn't made of %s", (_what, given, message) => {
    const wrong = () => contexts().of('a.test', given() as never);
    expect(wrong).toThrow(expect.objectContaining({ option: 'credentials.challengeFor' }) as Error);
    expect(wrong).toThrow(message);
  });

  it("isn't another key's, where the certificate is the same", () => {
    const made = contexts();
    made.of('a.test', one);
    expect(() => made.of('a.test', { cert: one.cert, key: two.key })).toThrow(/doesn't belong/);
  });

  it("isn't made of a certificate and key that don't belong together, or that are none", () => {
    for (const given of [
      { cert: one.cert, key: two.key },
      { cert: 'a', key: 'b' },
      { cert: '', key: '' },
    ])
      expect(() => contexts().of('a.test', given)).toThrow(
        expect.objectContaining({ name: 'CredentialsError' }) as Error,
      );
  });
});
