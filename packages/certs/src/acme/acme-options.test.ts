import { expect, it } from 'vitest';
import { readAcmeOptions, type AcmeOptions } from './acme-options.js';
import { letsEncryptStaging } from './directories.js';

const options: AcmeOptions = {
  domains: ['b.example', 'a.example'],
  directory: letsEncryptStaging,
  challenge: 'tls-alpn-01',
  dir: 'acme',
};

it('fills in the ports that CAs validate at', () => {
  expect(readAcmeOptions(options).place.port).toBe(443);
  expect(readAcmeOptions({ ...options, challenge: 'http-01' }).place.port).toBe(80);
  expect(readAcmeOptions({ ...options, listen: { host: '::1', port: 8443 } }).place).toEqual({
    host: '::1',
    port: 8443,
  });
});

it('tells one set of names from another whatever their order', () => {
  const swapped = readAcmeOptions({ ...options, domains: ['a.example', 'B.example'] });
  expect(readAcmeOptions(options).names).toBe(swapped.names);
});

it.each([
  ['directory', { directory: 'http://ca.test/dir' }],
  ['directory', { directory: 'https://user:secret@ca.test/dir' }],
  ['directory', { directory: undefined }],
  ['domains', { domains: undefined }],
  ['challenge', { challenge: undefined }],
  ['challenge', { challenge: 'dns-01' }],
  ['dir', { dir: undefined }],
  ['email', { email: 'not an address' }],
  ['email', { email: 'a@b.example,c@d.example' }],
  ['renewAt', { renewAt: 1 }],
  ['keyType', { keyType: 'ed25519' }],
  ['eab.kid', { eab: { hmacKey: 'A'.repeat(43) } }],
  ['eab.hmacKey', { eab: { kid: 'k', hmacKey: 'short' } }],
  ['eab.hmacKey', { eab: { kid: 'k' } }],
  ['listen.port', { listen: { port: 0 } }],
  ['listen.proxyProtocol', { listen: { proxyProtocol: true } }],
  ['listen.allow', { listen: { allow: '10.0.0.0/8' } }],
  ['listen.proxyProtocol', { listen: { proxyProtocol: { from: [] } }, challenge: 'http-01' }],
  ['listen.deny', { listen: { deny: [] }, challenge: 'http-01' }],
  ['httpChallenges', { httpChallenges: new Map() }],
  ['httpChallenges', { httpChallenges: {}, challenge: 'http-01' }],
  ['directoryCa', { directoryCa: 1 }],
  ['proxy', { proxy: 'https://proxy.example/path' }],
  ['proxy', { proxy: 'ftp://proxy.example' }],
  ['proxy', { proxy: 'proxy.example:3128' }],
  ['proxy', { proxy: 'http://%zz@proxy.example' }],
  ['proxy', { proxy: 'http://proxy.example/path' }],
  ['domain', { domain: 'a.example' }],
])('refuses a wrong %s', (option, change) => {
  expect(() => readAcmeOptions({ ...options, ...change } as AcmeOptions)).toThrow(
    expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option }),
  );
});

it("never shows a proxy's password", () => {
  for (const proxy of ['ftp://name:secret@proxy.example', 'socks5://name:secret@proxy.example'])
    expect(() => readAcmeOptions({ ...options, proxy })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') as string }),
    );
});

it.each(['socks://proxy.example', 'socks4a://proxy.example', 'socks5h://proxy.example:1080'])(
  'says of %s that SOCKS proxies are refused',
  (proxy) => {
    expect(() => readAcmeOptions({ ...options, proxy })).toThrow(/SOCKS \(socks\w*:\) isn't supported/);
  },
);

it('never shows an HMAC key', () => {
  const hmacKey = 'not!base64url!but!secret';
  expect(() => readAcmeOptions({ ...options, eab: { kid: 'k', hmacKey } })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('secret') as string }),
  );
});
