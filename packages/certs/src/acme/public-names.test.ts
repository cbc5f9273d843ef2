import { describe, expect, it } from 'vitest';
import { letsEncrypt, letsEncryptStaging } from './directories.js';
import { readIdentifiers } from './identifier.js';
import { refusePrivateNames } from './public-names.js';

const refuse = (domain: string, directory: string) => () => {
  refusePrivateNames(readIdentifiers(['www.example.com', domain]), directory);
};

describe('a public directory', () => {
  it.each([
    ...['localhost', 'db', 'a.localhost', 'printer.local', 'ca.example.internal', 'a.test', 'nas.home.arpa'],
    ...['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.1.1', '::1', 'fd00::1', 'fe80::1'],
  ])("isn't asked for %s", (domain) => {
    for (const directory of [letsEncrypt, letsEncryptStaging])
      expect(refuse(domain, directory)).toThrow(
        expect.objectContaining({
          code: 'KNSOCK_CERTIFICATE_NAME',
          message: expect.stringContaining(`"${domain}"`) as string,
          hint: expect.stringContaining('private CA') as string,
        }),
      );
  });

  it.each(['example.com', 'localhost.example.com', '172.32.0.1', '192.0.2.1', '2001:db8::1'])(
    'is asked for %s',
    (domain) => {
      expect(refuse(domain, letsEncrypt)).not.toThrow();
    },
  );
});

it.each(['localhost', 'db', '127.0.0.1'])('a private directory is asked for %s', (domain) => {
  expect(refuse(domain, 'https://ca.example.internal/acme/directory')).not.toThrow();
});
