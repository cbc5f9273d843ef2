/** The command lines of kn-sock's page, as docs/migrating-from-kn-sock prints them. */
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readChapters, readDocument } from '../docs/documents.js';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, startKnsock, type Ended, type Running } from '../support/command.js';

const text = readChapters('docs/migrating-from-kn-sock');
const printed = (/^```sh cli\n(?<lines>[^]*?)^```/m.exec(text)?.groups?.['lines'] ?? '').trim().split('\n');

let files: CertificateFolder;
beforeAll(async () => {
  files = await createCertificateFolder();
});
afterAll(() => files[Symbol.asyncDispose]());

/** The words of a printed line, with another port for its 8443. */
function words(line: string, port: number | string): string[] {
  const all = line.replace('8443', String(port)).match(/"[^"]*"|\S+/g) ?? [];
  return all.slice(1).map((word) => word.replaceAll('"', ''));
}

const lineOf = (name: string, more: string | undefined): string =>
  printed.find(
    (line) => line.includes(name) && (more === undefined ? !line.includes('--') : line.includes(more)),
  ) ?? `no line for ${name}`;

async function serving(line: string, ...more: string[]): Promise<{ server: Running; port: string }> {
  const server = startKnsock([...words(line, 0), ...more], { cwd: files.path });
  const [, port = ''] = await server.says(/listening on [^\n]*:(\d+),/);
  return { server, port };
}

const sending = (line: string, port: string, ...more: string[]): Promise<Ended> =>
  knsock([...words(line, port), ...more], { cwd: files.path });

const bareServer = lineOf('run-ssl-tcp-server', undefined);
const strictServer = lineOf('run-ssl-tcp-server', '--require-client-cert');
const bareClient = lineOf('send-ssl-tcp', undefined);
const fullClient = lineOf('send-ssl-tcp', '--certfile');

it("they are the page's own", () => {
  const page = readDocument('tests/corpora/kn-sock/secure-tcp.md').text;
  const theirs = [...page.matchAll(/^kn-sock (.*ssl-tcp.*)$/gm)].map(([, line = '']) => `knsock ${line}`);
  expect(theirs).toHaveLength(4);
  expect(printed).toEqual(theirs);
});

/** Runs the commands of the page's blocks of that name, in a folder of their own. */
async function follow(recipe: string, count: number): Promise<string> {
  const blocks = [...text.matchAll(new RegExp(`^\`\`\`sh run=${recipe}\\n([^]*?)^\`\`\``, 'gm'))];
  const lines = blocks.flatMap(([, code = '']) => code.trim().split('\n'));
  expect(lines).toHaveLength(count);
  const cwd = await mkdtemp(path.join(files.path, 'recipe-'));
  for (const line of lines) {
    const args = (line.match(/'[^']*'|\S+/g) ?? []).slice(1).map((word) => word.replaceAll("'", ''));
    expect(await knsock(args, { cwd })).toMatchObject({ code: 0 });
  }
  return cwd;
}

/** A printed line with the recipe's files for the page's. */
function withFiles(line: string, folder: string, places: Readonly<Record<string, string>>): string {
  return line.replace(/\b\w+\.(?:crt|key)\b/g, (name) => path.join(folder, places[name] ?? name));
}

it("the recipes of knsock certs beside the page's make what the commands take", async () => {
  const folder = await follow('ca-signed-here', 6);
  const places = {
    'ca.crt': 'certs/ca/root.crt',
    ...Object.fromEntries(
      ['server.crt', 'server.key', 'client.crt', 'client.key'].map((name) => [name, `certs/issued/${name}`]),
    ),
  };
  const { server, port } = await serving(withFiles(strictServer, folder, places));
  await using _server = server;
  expect(await sending(withFiles(fullClient, folder, places), port)).toMatchObject({
    code: 0,
    stdout: 'Hello Secure',
  });
  const judge = (name: string) => {
    const chain = `certs/issued/${name}.crt`;
    const trusted = ['--ca', 'certs/ca/root.crt', '--crl', 'ca.crl', '--usage', 'client'];
    return knsock(['certs', 'verify', chain, ...trusted], { cwd: folder });
  };
  expect(await judge('client')).toMatchObject({ code: 0 });
  expect(await judge('revoked')).toMatchObject({ code: 91 });
});

it('so does the self-signed one, whose certificate is its own --cafile', async () => {
  const folder = await follow('self-signed-here', 1);
  const { server, port } = await serving(withFiles(bareServer, folder, {}));
  await using _server = server;
  const trusting = withFiles(`${bareClient} --cafile server.crt`, folder, {});
  expect(await sending(trusting, port)).toMatchObject({ code: 0, stdout: 'Hello Secure' });
});

describe('run-ssl-tcp-server', () => {
  it('echoes, prints what it received, and ends the connection', async () => {
    const { server, port } = await serving(bareServer);
    await using _server = server;
    const { code, stdout } = await sending(bareClient, port, '--cafile', 'ca.crt');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Hello Secure' });
    await server.says(/^Received from 127\.0\.0\.1:\d+: Hello Secure$/m);
  });

  it('accepts only clients with a certificate, if configured', async () => {
    const { server, port } = await serving(strictServer);
    await using _server = server;
    expect(await sending(fullClient, port)).toMatchObject({ code: 0, stdout: 'Hello Secure' });
    const refused = await sending(bareClient, port, '--cafile', 'ca.crt');
    expect(refused).toMatchObject({ code: 56, stdout: '' });
    expect(refused.stderr).toContain('--certfile client.crt --keyfile client.key');
  });

  it('says what --require-client-cert lacks without --cafile', async () => {
    const ended = await knsock([...words(bareServer, 0), '--require-client-cert'], { cwd: files.path });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('Add --cafile ca.crt');
  });

  it('listens where --host says', async () => {
    const { server, port } = await serving(bareServer, '--host', '::1');
    await using _server = server;
    const args = ['send-ssl-tcp', '::1', port, 'six', '--cafile', 'ca.crt'];
    expect(await knsock(args, { cwd: files.path })).toMatchObject({ code: 0, stdout: 'six' });
  });

  it("prevents clients from writing to the operator's terminal", async () => {
    const { server, port } = await serving(bareServer);
    await using _server = server;
    const client = connectTls({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false });
    client.write('\u001b]0;owned\u0007\nReceived from 10.0.0.1:1: forged\u202e');
    client.resume();
    await once(client, 'end');
    const [line] = await server.says(/^Received from 127.*$/m);
    expect(line).toMatch(
      /: \\u\{1b\}\]0;owned\\u\{7\}\\u\{a\}Received from 10\.0\.0\.1:1: forged\\u\{202e\}$/,
    );
  });
});

describe('send-ssl-tcp', () => {
  it('verifies: against a private CA it exits with 60 and says what to add', async () => {
    const { server, port } = await serving(bareServer);
    await using _server = server;
    const { code, stdout, stderr } = await sending(bareClient, port);
    expect({ code, stdout }).toEqual({ code: 60, stdout: '' });
    expect(stderr).toContain('KNSOCK_PEER_UNKNOWN_ISSUER');
    expect(stderr).toContain('Add --cafile ca.crt');
  });

  it('accepts any server with --no-verify, and warns', async () => {
    const { server, port } = await serving(bareServer);
    await using _server = server;
    const { code, stdout, stderr } = await sending(bareClient, port, '--no-verify');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Hello Secure' });
    expect(stderr).toContain('an attacker could be answering');
  });

  it('prints what it received on timeout, and exits with 28', async () => {
    const { createServer } = await import('node:tls');
    const { readFileSync } = await import('node:fs');
    const pair = { cert: readFileSync(files.at('server.crt')), key: readFileSync(files.at('server.key')) };
    const server = createServer(pair, (socket) => {
      const trickle = setInterval(() => socket.write('.'), 50);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          clearInterval(trickle);
        });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { code, stdout } = await sending(bareClient, String(port), '--cafile', 'ca.crt', '--timeout', '1s');
    server.close();
    expect(code).toBe(28);
    expect(stdout).toMatch(/^\.+$/);
  });
});
