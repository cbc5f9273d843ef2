import { constants } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../errors/index.js';
import { parseSslContext } from './ssl-context.js';

describe('sslContext', () => {
  it('becomes credentials, profile and what has no option of ours', () => {
    const context = parseSslContext({
      cert: 'CERT',
      key: [{ pem: 'KEY', passphrase: 'secret' }],
      ca: ['A', 'B'],
      crl: 'CRL',
      minVersion: 'TLSv1.2',
      ciphers: 'ECDHE-RSA-AES256-GCM-SHA384',
      ecdhCurve: 'auto',
      allowPartialTrustChain: true,
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    expect(context).toEqual({
      credentials: { cert: 'CERT', key: 'KEY', passphrase: 'secret', ca: ['A', 'B'], crl: 'CRL' },
      profile: { minVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' },
      partialChain: true,
      tls: { secureOptions: constants.SSL_OP_NO_TICKET },
    });
  });

  it("takes a PKCS#12 file with its passphrase, in each of Node's forms", () => {
    const bytes = Buffer.from('pfx');
    const expected = { pfx: bytes, passphrase: 'secret' };
    expect(parseSslContext({ pfx: bytes, passphrase: 'secret' }).credentials).toEqual(expected);
    const inList = parseSslContext({ pfx: [{ buf: bytes, passphrase: 'secret' }] });
    expect(inList.credentials).toEqual(expected);
  });

  it.each<[string, unknown, RegExp]>([
    ['sslContext', createSecureContext(), /built SecureContext/],
    ['sslContext', 'a context', /object/],
    ['sslContext.minVersion', { minVersion: 'TLSv1' }, /TLSv1\.2/],
    ['sslContext.cert', { cert: ['one', 'two'] }, /2 entries/],
    ['sslContext.pfx', { pfx: 'text' }, /Buffer/],
    ['sslContext.rejectUnauthorized', { rejectUnauthorized: false }, /requireClientCert/],
    ['sslContext.ticketKeys', { ticketKeys: Buffer.alloc(48) }, /ticketSecret/],
    ['sslContext.toString', { toString: 'x' }, /no option/],
    ['sslContext.cerl', { cerl: 'x' }, /no option/],
  ])('refuses %s: %o', (option, context, message) => {
    let failure: unknown;
    try {
      parseSslContext(context as SecureContextOptions);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(InvalidOptionError);
    expect(failure).toMatchObject({ option, message: expect.stringMatching(message) as string });
  });
});
