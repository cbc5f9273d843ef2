import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest, suggestionFor } from './suggestion.js';

const known = ['clientCertificates', 'maxConnections', 'credentials', 'host', 'port', 'sni', 'signal'];

describe("a name that isn't known", () => {
  it.each([
    ['clientCertificate', 'clientCertificates'],
    ['maxConection', 'maxConnections'],
    ['max_connections', 'maxConnections'],
    ['MAXCONNECTIONS', 'maxConnections'],
    ['clientCertifictaes', 'clientCertificates'],
    ['prot', 'port'],
    ['hosts', 'host'],
    ['singal', 'signal'],
    ['color', undefined],
    ['x', undefined],
    ['', undefined],
    ['constructor', undefined],
  ])('%s: %s was meant', (name, meant) => {
    expect(nearest(name, known)).toBe(meant);
  });

  it.each([
    ['cert', '; credentials takes it: createCredentials'],
    ['rejectUnauthorized', '; did you mean clientCertificates?'],
    ['servername', '; did you mean sni?'],
    ['hostname', '; did you mean host?'],
    ['ciphers', ''],
    ['__proto__', ''],
  ])('%s of another library has its place here: %s', (name, suggestion) => {
    expect(suggestionFor(name, known)).toContain(suggestion);
    if (suggestion === '') expect(suggestionFor(name, known)).toBe('');
  });

  it.each([
    ['dns', ['kind', 'names', 'days'], 'names'],
    ['subjectAltName', ['kind', 'names', 'days'], 'names'],
    ['validity', ['kind', 'names', 'days'], 'days'],
    ['password', ['certFile', 'passphrase'], 'passphrase'],
    ['maximumPoolSize', ['min', 'max', 'create'], 'max'],
    ['idleTimeoutMillis', ['min', 'max', 'idleTimeout'], 'idleTimeout'],
    ['leakDetectionThreshold', ['max', 'leakThreshold'], 'leakThreshold'],
  ])('%s of a tool for certificates or a pool, among %j, is %s here', (name, names, meant) => {
    expect(suggestionFor(name, names)).toBe(`; did you mean ${meant}?`);
  });

  it('is found with any one character missing, doubled or swapped, where it is long enough', () => {
    const name = fc.constantFrom('clientCertificates', 'maxConnections', 'credentials', 'signal');
    fc.assert(
      fc.property(name, fc.nat(), fc.nat({ max: 2 }), (whole, place, how) => {
        const at = place % (whole.length - 1);
        const wrong = [
          whole.slice(0, at) + whole.slice(at + 1),
          whole.slice(0, at + 1) + whole.slice(at),
          whole.slice(0, at) + whole.charAt(at + 1) + whole.charAt(at) + whole.slice(at + 2),
        ][how] as string;
        expect(nearest(wrong, known)).toBe(whole);
      }),
    );
  });
});
