import { describe, expect, it } from 'vitest';
import * as errors from './index.js';
import { packError, unpackError } from './packed-error.js';

const crossed = (error: unknown): Error => unpackError(structuredClone(packError(error)));

describe('an error that crosses a thread', () => {
  const now = new Date();
  const certificate = {
    subject: 'CN=app',
    issuer: 'CN=CA',
    names: ['app.example'],
    notBefore: now,
    notAfter: now,
    serial: '01',
    fingerprint256: 'ab',
  };
  const offer = { versions: 'TLSv1.3', ciphers: 'x', groups: 'y', signatureAlgorithms: 'z' };
  const made: errors.EasySocketError[] = [
    new errors.UntrustedPeerError('expired', 2, 'too old', { certificate, hint: 'of its own' }),
    new errors.HandshakeError('cipher', 'no common cipher', { offer }),
    new errors.ClientCertificateRefusedError('unknown', 'refused'),
    new errors.EarlyEndError(['framing'], 'ended'),
    new errors.CredentialsError('missing-file', 'there is no file x', { file: 'x' }),
    new errors.PeerNotAllowedError('not you', { certificate }),
    new errors.MalformedDerError(7, 'no DER'),
    new errors.UnusableKeyError(7, 'no key'),
    new errors.ConnectionError('KNSOCK_HOST_NOT_FOUND', 'who?', { retryable: true }),
    new errors.ConnectionTimeoutError('tcp', 10, 'late'),
    new errors.ReplyTimeoutError(300, Buffer.from('half of')),
    new errors.ConnectionRefusedError('nobody'),
    new errors.ConnectionClosedError('unknown', 'gone'),
    new errors.PortInUseError(8_443, 'taken'),
    new errors.ServerDrainingError('going'),
    new errors.MessageTooLargeError(11, 10),
    new errors.TruncatedMessageError('cut', { received: Buffer.from('cu') }),
    new errors.FramingMismatchError('other words'),
    new errors.InvalidJsonError('no JSON', { issues: [{ path: 'a', message: 'b' }] }),
    new errors.RemoteHandlerError('teapot', 'short and stout'),
    new errors.RequestNotStartedError('not yet'),
    new errors.InvalidOptionError('port', 'no port'),
    new errors.BlockingCallError('worker', 'dead'),
    new errors.ProtocolError('broken'),
    new errors.SecurityError('KNSOCK_PEER_WEAK', 'weak'),
    new errors.EasySocketError('KNSOCK_QUEUE_FULL', 'full'),
  ];

  it.each(made.map((error) => [error.name, error] as const))('is the same %s', (_name, error) => {
    const there = crossed(error);
    expect(Object.getPrototypeOf(there)).toBe(Object.getPrototypeOf(error));
    expect(Object.entries(there)).toEqual(Object.entries(error));
    expect(there.message).toBe(error.message);
    expect(there).toBeInstanceOf(errors.EasySocketError);
    expect(there.stack).toMatch(/^\w+Error: [^]*-- in the worker --/);
  });

  it('is of every class that there is', () => {
    const families = Object.values(errors).filter(
      (value) =>
        typeof value === 'function' &&
        (value === errors.EasySocketError || value.prototype instanceof Error) &&
        value !== (errors.RequestError as unknown),
    );
    expect(new Set(made.map(({ constructor }) => constructor))).toEqual(new Set(families));
  });

  it("keeps Node's own errors underneath, with their fields", () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104 });
    const all = new AggregateError([reset], 'none of them');
    const there = crossed(new errors.ConnectionRefusedError('nobody', { cause: all }));
    expect(there).toBeInstanceOf(errors.ConnectionRefusedError);
    expect(there.cause).toBeInstanceOf(AggregateError);
    const [inner] = (there.cause as AggregateError).errors as (Error & { code: string; errno: number })[];
    expect(inner).toMatchObject({ message: 'read ECONNRESET', code: 'ECONNRESET', errno: -104 });
    expect(inner?.stack).toBe(reset.stack);
  });

  it("leaves behind what can't be cloned, and takes anything that was thrown", () => {
    const odd = Object.assign(new TypeError('odd'), { act: () => 1, deep: { socket: Symbol('s'), n: 1 } });
    const there = crossed(odd);
    expect(there).toMatchObject({ name: 'TypeError', message: 'odd', deep: { n: 1 } });
    expect(crossed('a word').message).toBe('a word');
  });

  it('ends where causes go in a circle', () => {
    const first = new Error('first');
    first.cause = first;
    expect(crossed(first).message).toBe('first');
  });
});
