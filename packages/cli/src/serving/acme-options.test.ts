import { letsEncrypt } from '@knsock/certs/acme';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../usage-error.js';
import { acmePlan, addAcmeOptions, type ServedPlace } from './acme-options.js';
import type { AcmeFlags } from './flags.js';

const flags = (given: AcmeFlags): AcmeFlags => ({ acmeChallenge: 'tls-alpn-01', ...given });
const whole = { acme: ['a.test'], acmeDir: 'acme', acmeStaging: true };
const plan = (given: AcmeFlags, server: ServedPlace = { port: 443 }) =>
  acmePlan(flags({ ...whole, ...given }), server);

describe('the plan of --acme', () => {
  it('is none without it', () => {
    expect(acmePlan(flags({}), { port: 443 })).toBeUndefined();
  });

  it("answers on the server's own port", () => {
    expect(plan({}, { host: '192.0.2.1', port: 8_443 })).toEqual({
      domains: ['a.test'],
      dir: 'acme',
      directory: null,
      listen: { host: '192.0.2.1', port: 8_443 },
    });
  });

  it('admits to that port whom the server admits, behind the same proxies', () => {
    const door = { proxyProtocol: { from: ['192.0.2.1'] }, allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16'] };
    expect(plan({}, { port: 443, ...door })?.listen).toMatchObject(door);
    expect(plan({ acmeChallenge: 'http-01' }, { port: 443, ...door })?.listen).toEqual({});
  });

  it('takes another directory as it is written', () => {
    const given = { acmeStaging: undefined as never, acmeDirectory: 'https://ca.test/dir' };
    expect(plan(given)).toMatchObject({ directory: 'https://ca.test/dir' });
  });

  it('answers http-01 on port 80 or the port that it is given, wherever the server listens', () => {
    const http = { acmeChallenge: 'http-01' } as const;
    expect(plan(http, { path: 'socket' })?.listen).toEqual({});
    expect(plan({ ...http, acmeHttpPort: 8_080 }, { port: 0 })?.listen).toEqual({ port: 8_080 });
  });

  it.each<[string, AcmeFlags, ServedPlace, RegExp]>([
    ['a folder', { acmeDir: undefined as never }, { port: 443 }, /needs --acme-dir FOLDER/],
    ['a directory', { acmeStaging: undefined as never }, { port: 443 }, /needs --acme-directory URL/],
    ['a port that is known', {}, { port: 0 }, /not port 0/],
    ['a port at all', {}, { path: 'socket' }, /not a Unix socket/],
    ['http-01 for a port of its own', { acmeHttpPort: 80 }, {}, /goes with --acme-challenge http-01/],
    ['both parts of an external account', { acmeEabKid: 'k' }, {}, /go together/],
    ['the id of an external account, too', { acmeEabKeyFile: 'k' }, {}, /go together/],
  ])('needs %s', (_what, given, server, message) => {
    const wrong = () => plan(given, server);
    expect(wrong).toThrow(UsageError);
    expect(wrong).toThrow(message);
  });

  it.each<[string, AcmeFlags]>([
    ['--acme-dir', { acmeDir: 'acme' }],
    ['--acme-directory', { acmeDirectory: 'https://ca.test' }],
    ['--acme-staging', { acmeStaging: true }],
    ['--acme-agree', { acmeAgree: true }],
    ['--acme-email', { acmeEmail: 'a@b.test' }],
    ['--acme-http-port', { acmeHttpPort: 80 }],
    ['--acme-ca', { acmeCa: 'ca.crt' }],
    ['--acme-eab-kid', { acmeEabKid: 'k' }],
    ['--acme-eab-key-file', { acmeEabKeyFile: 'k' }],
    ['--acme-proxy', { acmeProxy: 'http://proxy' }],
    ['--acme-profile', { acmeProfile: 'shortlived' }],
    ['--acme-key-type', { acmeKeyType: 'p384' }],
  ])('%s without a name is refused', (flag, given) => {
    expect(() => acmePlan(flags(given), { port: 443 })).toThrow(`${flag} goes with --acme NAME`);
  });

  it("names the directory of Let's Encrypt as certs does", () => {
    const command = new Command('serve');
    addAcmeOptions(command);
    const help = command.options.find(({ long }) => long === '--acme-directory')?.description;
    expect(help).toContain(letsEncrypt);
    expect(() => plan({ acmeStaging: undefined as never })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining(letsEncrypt) as string }) as Error,
    );
  });
});
