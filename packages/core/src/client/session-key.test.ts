import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { createCredentials } from '../credentials/credentials.js';
import { makeCertificate } from '../testing/made-certificates.js';
import { parseConnect, type ConnectOptions } from './config.js';
import { sessionKey } from './session-key.js';

const ca = makeCertificate({ commonName: 'CA', isAuthority: true });
const own = makeCertificate({ commonName: 'us', issuer: ca, usage: 'client' });
const pin = (letter: string): string => `sha256/${letter.repeat(43)}=`;
const credentials = createCredentials({});
const base: ConnectOptions = { host: 'db.test', port: 1, credentials, pins: [pin('A'), pin('B')] };
const key = (options: ConnectOptions = {}, alpn?: string): string | null =>
  sessionKey(parseConnect({ ...base, ...options }), alpn);

it('is the same for the same server and the same trust, with pins in any order', () => {
  expect(key()).toBe(key());
  expect(key({ pins: [pin('B'), pin('A')] })).toBe(key());
  expect(key({ connectTimeout: 1, maxMessageBytes: 9 })).toBe(key());
});

it.each<[string, ConnectOptions, string?]>([
  ['another port', { port: 2 }],
  ['another host', { host: 'other.test', servername: 'db.test' }],
  ['another name to ask for', { servername: 'other.test', expectedName: 'db.test' }],
  ['another name to expect', { expectedName: 'other.test' }],
  ['no name to expect', { expectedName: { dangerouslyAnyName: true } }],
  ['credentials of our own', { credentials: createCredentials({ cert: own.pem, key: own.keyPem }) }],
  ['another CA', { credentials: createCredentials({ ca: ca.pem }) }],
  ['fewer pins', { pins: [pin('A')] }],
  ['no pins', { pins: undefined }],
  ['pins alone', { pinsOnly: true }],
  ['no verification', { dangerouslySkipVerification: true }],
  ['partial chains', { partialChain: true }],
  ['another TLS version', { profile: { minVersion: 'TLSv1.3' } }],
  ['another protocol', {}, 'other/1'],
])('differs by %s', (_, options, alpn) => {
  expect(key(options, alpn)).not.toBeNull();
  expect(key(options, alpn)).not.toBe(key());
});

it('is null for an existing socket, which has no address of its own', () => {
  const { host: _, port: __, ...rest } = base;
  const config = parseConnect({ ...rest, socket: new PassThrough(), expectedName: 'db.test' });
  expect(sessionKey(config, undefined)).toBeNull();
});

it('is made from the path for a Unix socket', () => {
  const { host: _, port: __, ...rest } = base;
  const at = (path: string) =>
    sessionKey(parseConnect({ ...rest, path, expectedName: 'db.test' }), undefined);
  expect(at('/run/a')).toContain('/run/a');
  expect(at('/run/a')).not.toBe(at('/run/b'));
});
