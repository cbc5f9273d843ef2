/** Keys and key stores that other programs write, read here; and the commands that hints name, executed. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { convertKey, inspect, readContents } from '@knsock/certs';
import { readPrivateKeyOffThread } from '@knsock/core/x509';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { needsTools } from './tools.js';

const folder = mkdtempSync(path.join(tmpdir(), 'knsock-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => path.join(folder, name);
const PASSPHRASE = 'pässwort';

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What a hint says, with the names of files put in. */
function follow(hint: string | undefined, names: Readonly<Record<string, string>>): void {
  const [, command = ''] =
    /^((?:ssh-keygen|puttygen|keytool) .*?)(?: makes| encrypts| changes| takes)/.exec(hint ?? '') ?? [];
  if (command === '') throw new Error(`no command in the hint: ${hint}`);
  const [program = '', ...args] = command.split(' ').map((word) => names[word] ?? word);
  run(program, ...args);
}

async function hintOf(opening: Promise<unknown>): Promise<string | undefined> {
  try {
    await opening;
  } catch (error) {
    return (error as { hint?: string }).hint;
  }
  throw new Error('it opened');
}

const pem = (file: string, passphrase?: string) => convertKey(readFileSync(at(file)), { passphrase });

describe('keys of ssh-keygen', () => {
  beforeEach((context) => needsTools(context, 'ssh-keygen'));

  it.each([
    ['ed25519', 'aes256-ctr'],
    ['rsa', 'aes256-gcm@openssh.com'],
    ['ecdsa', 'aes128-cbc'],
    ['ecdsa', '3des-cbc'],
  ])('of type %s, encrypted with %s', async (type, cipher) => {
    const name = `${type}-${cipher}`;
    run('ssh-keygen', '-q', '-t', type, '-Z', cipher, '-N', PASSPHRASE, '-f', name);
    copyFileSync(at(name), at(`${name}.copy`));
    run('ssh-keygen', '-q', '-p', '-P', PASSPHRASE, '-N', '', '-f', `${name}.copy`);
    expect(await pem(name, PASSPHRASE)).toBe(await pem(`${name}.copy`));
    expect((await inspect({ file: at(name) })).items).toMatchObject([
      { type: 'private-key', encrypted: true },
    ]);
  });

  it("encrypted in a way that isn't read, by the command of the hint", async () => {
    run(
      'ssh-keygen',
      '-q',
      '-t',
      'ed25519',
      '-Z',
      'chacha20-poly1305@openssh.com',
      '-N',
      '12345',
      '-f',
      'chacha',
    );
    const hint = await hintOf(readPrivateKeyOffThread(readFileSync(at('chacha')), '12345'));
    expect(hint).toContain('ssh-keygen -p -Z aes256-ctr -f COPY');
    run('ssh-keygen', '-p', '-Z', 'aes256-ctr', '-f', 'chacha', '-P', '12345', '-N', '12345');
    expect(await pem('chacha', '12345')).toContain('BEGIN PRIVATE KEY');
  });
});

describe('keys of puttygen', () => {
  beforeEach((context) => needsTools(context, 'puttygen', 'ssh-keygen'));

  it.each(
    (['ed25519', 'rsa', 'ecdsa'] as const).flatMap((type) =>
      ([2, 3] as const).map((version) => [type, version] as const),
    ),
  )('of type %s, in version %i, with a passphrase and without', async (type, version) => {
    const name = `putty-${type}-${version}`;
    run('ssh-keygen', '-q', '-t', type, '-N', '', '-f', name);
    writeFileSync(at('pass'), PASSPHRASE);
    const how = ['--ppk-param', `version=${version}`];
    run('puttygen', name, '-o', `${name}.ppk`, ...how);
    run('puttygen', name, '-o', `${name}-locked.ppk`, ...how, '--new-passphrase', 'pass');
    expect(await pem(`${name}.ppk`)).toBe(await pem(name));
    const { items, format } = await inspect({ file: at(`${name}-locked.ppk`) });
    expect({ items, format }).toMatchObject({ items: [{ encrypted: true }], format: 'PuTTY (.ppk)' });
    const locked = readFileSync(at(`${name}-locked.ppk`));
    if (version === 2 || 'argon2' in process.getBuiltinModule('node:crypto')) {
      expect(await convertKey(locked, { passphrase: PASSPHRASE })).toBe(await pem(name));
      return;
    }
    const hint = await hintOf(readPrivateKeyOffThread(locked, PASSPHRASE));
    expect(hint).toContain('puttygen FILE -O private-openssh-new -o NEW');
    const unlock = ['--old-passphrase', 'pass', '--new-passphrase', 'pass'];
    run('puttygen', `${name}-locked.ppk`, '-O', 'private-openssh-new', '-o', `${name}.new`, ...unlock);
    expect(await pem(`${name}.new`, PASSPHRASE)).toBe(await pem(name));
  });
});

describe('key stores of keytool', () => {
  beforeEach((context) => needsTools(context, 'keytool'));
  const keytool = (...args: string[]): string =>
    run('keytool', '-J-Duser.language=en', ...args, '-storepass', 'changeit');

  it.each(['jks', 'jceks'])('of type %s, converted to PEM', async (type) => {
    const file = ['-keystore', `server.${type}`, '-storetype', type];
    for (const [alias, algorithm] of [
      ['first', 'EC'],
      ['second', 'RSA'],
    ] as const) {
      const made = ['-alias', alias, '-keyalg', algorithm, '-dname', `CN=${alias}`];
      keytool('-genkeypair', ...made, '-keypass', 'changeit', ...file);
    }
    const input = readFileSync(at(`server.${type}`));
    for (const keyName of ['first', 'second']) {
      const { certificates, key } = await readContents(input, { passphrase: 'changeit', keyName });
      const shown = keytool('-exportcert', '-rfc', '-alias', keyName, ...file).replace(/\r/g, '');
      expect(certificates.startsWith(shown)).toBe(true);
      expect(key).toContain('BEGIN PRIVATE KEY');
    }
    const { items, format } = await inspect({ file: at(`server.${type}`) }, { passphrase: 'changeit' });
    expect(format).toBe(`Java keystore (${type.toUpperCase()})`);
    expect(items.filter((item) => item.type === 'certificate')).toHaveLength(2);
  });

  it('with a secret key, by the command of the hint', async () => {
    const file = ['-keystore', 'secret.jceks', '-storetype', 'jceks'];
    keytool(
      '-genkeypair',
      '-alias',
      'it',
      '-keyalg',
      'EC',
      '-dname',
      'CN=it',
      '-keypass',
      'changeit',
      ...file,
    );
    keytool(
      '-genseckey',
      '-alias',
      'aes',
      '-keyalg',
      'AES',
      '-keysize',
      '128',
      '-keypass',
      'changeit',
      ...file,
    );
    const input = readFileSync(at('secret.jceks'));
    const failure = await readContents(input, { passphrase: 'changeit' }).catch((error: unknown) => error);
    const { hint, code } = failure as { hint: string; code: string };
    expect(code).toBe('KNSOCK_CERTIFICATE_UNSUPPORTED');
    const answers = ['-srcstorepass', 'changeit', '-deststorepass', 'changeit'];
    follow(hint.replace(' takes', ` ${answers.join(' ')} takes`), {
      FILE: at('secret.jceks'),
      ALIAS: 'it',
      'NEW.p12': at('new.p12'),
    });
    expect(keytool('-list', '-keystore', 'new.p12')).toContain('it, ');
  });
});
