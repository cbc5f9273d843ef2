import { letsEncrypt } from '@knsock/certs/acme';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../usage-error.js';
import { acmePlan, addAcmeOptions } from './acme-options.js';
import type { ServeFlags } from './flags.js';

const flags = (given: Partial<ServeFlags>): ServeFlags => ({
  framing: 'knsock',
  content: 'bytes',
  acmeChallenge: 'tls-alpn-01',
  ...given,
});
const whole = { acme: ['a.test'], acmeDir: 'acme', acmeStaging: true };
const plan = (given: Partial<ServeFlags>, port = 443) => acmePlan(flags({ ...whole, ...given }), port);

describe('the plan of --acme', () => {
  it('is none without it', () => {
    expect(acmePlan(flags({}), 443)).toBeUndefined();
  });

  it("answers on the server's own port", () => {
    expect(plan({ host: '192.0.2.1' }, 8_443)).toEqual({
      domains: ['a.test'],
      dir: 'acme',
      directory: null,
      listen: { host: '192.0.2.1', port: 8_443 },
    });
  });

  it('takes another directory as it is written', () => {
    const given = { acmeStaging: undefined as never, acmeDirectory: 'https://ca.test/dir' };
    expect(plan(given)).toMatchObject({ directory: 'https://ca.test/dir' });
  });

  it('answers http-01 on port 80 or the port that it is given, wherever the server listens', () => {
    const http = { acmeChallenge: 'http-01', unix: 'socket' } as const;
    expect(plan(http)?.listen).toEqual({ host: undefined, port: undefined });
    expect(plan({ ...http, acmeHttpPort: 8_080 }, 0)?.listen).toEqual({ host: undefined, port: 8_080 });
  });

  it.each<[string, Partial<ServeFlags>, number, RegExp]>([
    ['a folder', { acmeDir: undefined as never }, 443, /needs --acme-dir FOLDER/],
    ['a directory', { acmeStaging: undefined as never }, 443, /needs --acme-directory URL/],
    ['a port that is known', {}, 0, /not with --port 0/],
    ['a port at all', { unix: 'socket' }, 443, /not with --unix/],
    ['http-01 for a port of its own', { acmeHttpPort: 80 }, 443, /goes with --acme-challenge http-01/],
  ])('needs %s', (_what, given, port, message) => {
    const wrong = () => plan(given, port);
    expect(wrong).toThrow(UsageError);
    expect(wrong).toThrow(message);
  });

  it.each<[string, Partial<ServeFlags>]>([
    ['--acme-dir', { acmeDir: 'acme' }],
    ['--acme-directory', { acmeDirectory: 'https://ca.test' }],
    ['--acme-staging', { acmeStaging: true }],
    ['--acme-agree', { acmeAgree: true }],
    ['--acme-email', { acmeEmail: 'a@b.test' }],
    ['--acme-http-port', { acmeHttpPort: 80 }],
    ['--acme-ca', { acmeCa: 'ca.crt' }],
  ])('%s without a name is refused', (flag, given) => {
    expect(() => acmePlan(flags(given), 443)).toThrow(`${flag} goes with --acme NAME`);
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
