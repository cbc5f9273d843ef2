import { describe, expect, it } from 'vitest';
import { HandshakeError } from '../errors/index.js';
import { agreedName } from './agreed-name.js';

const facts = (servername: string | null, resumed = false, version = 'TLSv1.3') => ({
  servername,
  resumed,
  version,
});
const ADDRESS = '192.0.2.1:4000';

describe('the name of a handshake', () => {
  it.each([
    ['the same', 'a.test', facts('a.test')],
    ['the same but for its case', 'A.test', facts('a.TEST')],
    ['the same in another encoding', 'b\u00c3\u00bccher.test', facts('bücher.test')],
    ['none, as none was read', null, facts(null)],
    ['untold on a resumed TLS 1.2 connection', 'a.test', facts(null, true, 'TLSv1.2')],
    ['reported on a resumed TLS 1.2 connection', 'a.test', facts('a.test', true, 'TLSv1.2')],
  ])('is accepted where it is %s', (_what, routed, told) => {
    expect(agreedName(routed, told, ADDRESS)).toBe(routed);
  });

  it.each([
    ['another', 'a.test', facts('b.test')],
    ["another, in nothing but the case of a letter that isn't ASCII", '\u00c0.test', facts('\u00e0.test')],
    ['one, where none was read', null, facts('a.test')],
    ['one, where none was read, on a resumed TLS 1.2 connection', null, facts('a.test', true, 'TLSv1.2')],
    ['another on a resumed TLS 1.2 connection', 'a.test', facts('b.test', true, 'TLSv1.2')],
    ['none, where one was read', 'a.test', facts(null)],
    ["none on a TLS 1.2 connection that isn't resumed", 'a.test', facts(null, false, 'TLSv1.2')],
    ['none on a resumed TLS 1.3 connection', 'a.test', facts(null, true)],
  ])('is refused where it is %s', (_what, routed, told) => {
    expect(() => agreedName(routed, told, ADDRESS)).toThrow(HandshakeError);
    expect(() => agreedName(routed, told, ADDRESS)).toThrow(ADDRESS);
  });
});
