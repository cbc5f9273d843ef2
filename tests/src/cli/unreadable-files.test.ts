/** A file that a command is given and can't read: one exit code, one code and one form, for every command and flag. */
import { chmod, mkdir } from 'node:fs/promises';
import { describeCommands, type CommandDescription } from '@knsock/cli';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock } from '../support/command.js';

/** Each flag and argument that is a file, as a command line that is right but for it. */
const lines = [
  'serve --port 0 --handler BAD --cert CERT --key KEY',
  'serve --port 0 --cert BAD --key KEY',
  'serve --port 0 --cert CERT --key BAD',
  'serve --port 0 --cert CERT --key KEY --ca BAD',
  'serve --port 0 --cert CERT --key KEY --ca CA --crl BAD',
  'serve --port 0 --pfx BAD',
  'serve --port 0 --cert CERT --key KEY --passphrase-file BAD',
  'serve --port 0 --acme a.test --acme-challenge http-01 --acme-dir NEW --acme-agree --acme-directory https://localhost:1/d --acme-eab-kid a --acme-eab-key-file BAD',
  'serve --port 0 --acme a.test --acme-challenge http-01 --acme-dir NEW --acme-agree --acme-directory https://localhost:1/d --acme-ca BAD',
  'send localhost:1 --file BAD',
  'send localhost:1 x --cert BAD --key KEY',
  'send localhost:1 x --cert CERT --key BAD',
  'send localhost:1 x --ca BAD',
  'send localhost:1 x --ca CA --crl BAD',
  'send localhost:1 x --pfx BAD',
  'send localhost:1 x --cert CERT --key KEY --passphrase-file BAD',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --cert BAD --key KEY',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --cert CERT --key BAD',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --cert CERT --key KEY --ca BAD',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --cert CERT --key KEY --ca CA --crl BAD',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --pfx BAD',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --cert CERT --key KEY --passphrase-file BAD',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --acme a.test --acme-challenge http-01 --acme-dir NEW --acme-agree --acme-directory https://localhost:1/d --acme-eab-kid a --acme-eab-key-file BAD',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --acme a.test --acme-challenge http-01 --acme-dir NEW --acme-agree --acme-directory https://localhost:1/d --acme-ca BAD',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --cert CERT --key KEY --target-tls --target-ca BAD',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --cert CERT --key KEY --target-tls --target-cert BAD --target-key KEY',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --cert CERT --key KEY --target-tls --target-cert CERT --target-key BAD',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --cert CERT --key KEY --target-tls --target-pfx BAD',
  'proxy server --listen 127.0.0.1:0 --target localhost:1 --allow-all --cert CERT --key KEY --target-tls --target-cert CERT --target-key KEY --target-passphrase-file BAD',
  'proxy client --listen 127.0.0.1:0 --target localhost:1 --ca CA --cert BAD --key KEY',
  'proxy client --listen 127.0.0.1:0 --target localhost:1 --ca CA --cert CERT --key BAD',
  'proxy client --listen 127.0.0.1:0 --target localhost:1 --ca BAD',
  'proxy client --listen 127.0.0.1:0 --target localhost:1 --ca CA --crl BAD',
  'proxy client --listen 127.0.0.1:0 --target localhost:1 --ca CA --pfx BAD',
  'proxy client --listen 127.0.0.1:0 --target localhost:1 --ca CA --cert CERT --key KEY --passphrase-file BAD',
  'certs ca Root --store NEW --signer-exec true --signer-key BAD',
  'certs ca Root --store NEW --store-passphrase-file BAD',
  'certs issue a.test --store STORE --store-passphrase-file BAD',
  'certs sign BAD --store STORE',
  'certs sign CERT --store STORE --store-passphrase-file BAD',
  'certs revoke CERT --store STORE --store-passphrase-file BAD',
  'certs revoke CERT --store STORE --passphrase-file BAD',
  'certs crl --store STORE --store-passphrase-file BAD',
  'certs inspect BAD',
  'certs inspect CERT --passphrase-file BAD',
  'certs verify BAD --ca CA',
  'certs verify CERT --ca BAD',
  'certs verify CERT --ca CA --intermediate BAD',
  'certs verify CERT --ca CA --crl BAD',
  'certs verify CERT --ca CA --passphrase-file BAD',
  'certs match BAD KEY',
  'certs match CERT BAD',
  'certs match CERT KEY --passphrase-file BAD',
  'certs fingerprint BAD',
  'certs fingerprint CERT --passphrase-file BAD',
  'certs convert BAD --to pem',
  'certs convert CERT --to pem --key BAD',
  'certs convert CERT --to pem --passphrase-file BAD',
  'certs lint BAD',
  'certs lint CERT --passphrase-file BAD',
  'certs expiry CERT --passphrase-file BAD',
  'certs renew BAD KEY --store STORE',
  'certs renew ISSUED KEY --store STORE --passphrase-file BAD',
  'certs renew CERT KEY --store STORE --store-passphrase-file BAD',
  'certs serve STORE --store-passphrase-file BAD',
  'certs serve STORE --policy BAD',
  'certs enroll --token-file BAD --dir NEW',
  'certs trust install --ca BAD',
  'certs trust uninstall --ca BAD',
  'certs trust status --ca BAD',
  'check CERT --ca BAD',
  'check CERT --crl BAD',
  'check CERT --passphrase-file BAD',
  'check CERT --baseline BAD',
  'run-ssl-tcp-server 0 BAD KEY',
  'run-ssl-tcp-server 0 CERT BAD',
  'run-ssl-tcp-server 0 CERT KEY --cafile BAD',
  'send-ssl-tcp localhost 1 x --cafile BAD',
  'send-ssl-tcp localhost 1 x --certfile BAD --keyfile KEY',
  'send-ssl-tcp localhost 1 x --certfile CERT --keyfile BAD',
];

/** Written, or read only after something else has happened. */
const outputs = /^(--out|--write-baseline|--signal-pid)$/;

let files: CertificateFolder;
beforeAll(async () => {
  files = await createCertificateFolder();
  await mkdir(files.at('folder'));
  await files.write('locked', 'x');
  await chmod(files.at('locked'), 0);
  await knsock(['certs', 'ca', 'Root', '--store', files.at('store')]);
  await knsock(['certs', 'issue', 'a.test', '--store', files.at('store')]);
});
afterAll(() => files[Symbol.asyncDispose]());

function argsOf(line: string, bad: string): string[] {
  const places: Record<string, string> = {
    BAD: bad,
    CERT: files.at('server.crt'),
    KEY: files.at('server.key'),
    CA: files.at('ca.crt'),
    STORE: files.at('store'),
    NEW: files.at('new'),
    ISSUED: files.at('store/issued/a.test.crt'),
  };
  return line.split(' ').map((word) => places[word] ?? word);
}

/** The flag before the bad file; none for an argument. */
const flagIn = (line: string): string | undefined => /(--\S+) BAD/.exec(line)?.[1];

const kinds = [
  ['missing', 'there is no such file'],
  ['folder', 'it is a folder'],
  ...(process.getuid?.() === 0 ? [] : [['locked', 'permission denied']]),
] as const;

describe.each(lines)('%s', (line) => {
  it('names the flag, the file and the reason', async () => {
    for (const [name, why] of kinds) {
      const bad = files.at(name);
      const { code, stdout, stderr } = await knsock(argsOf(line, bad));
      const named = [flagIn(line), bad].filter((word) => word !== undefined).join(' ');
      expect(stderr).toContain(`: ${named} can't be read: ${why}\n`);
      expect(stderr).toContain('code: KNSOCK_READ (exit 26)');
      expect({ code, stdout }).toEqual({ code: 26, stdout: '' });
    }
  });
});

describe('an empty file', () => {
  const contents = lines.filter(
    (line) =>
      !/(passphrase|token|eab-key)-file BAD|--(baseline|file|handler|policy|acme-ca|signer-key) BAD/.test(
        line,
      ),
  );

  it.each(contents)('is refused by its name: %s', async (line) => {
    const empty = await files.write('empty.pem', '');
    const { code, stderr } = await knsock(argsOf(line, empty));
    expect(stderr).toMatch(/empty\.pem.*it is empty/);
    expect(stderr).toContain(flagIn(line) ?? 'empty.pem');
    expect(code).toBe(58);
  });
});

describe('the table', () => {
  it('has each flag of each command that takes a file', async () => {
    const missing = flattened(await describeCommands()).flatMap(({ path, options }) =>
      options
        .filter(({ flags }) => /<file( or url)?>/.test(flags))
        .flatMap(({ names }) => names.filter((name) => name.startsWith('--') && !outputs.test(name)))
        .filter((flag) => !lines.some((line) => line.startsWith(`${path} `) && flagIn(line) === flag))
        .map((flag) => `${path} ${flag}`),
    );
    expect(missing).toEqual([]);
  });
});

function flattened(command: CommandDescription): CommandDescription[] {
  return [command, ...command.commands.flatMap(flattened)];
}
