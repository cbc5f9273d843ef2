/** Python programs that behave as kn-sock does, in all directions: either side of a migration may move first. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  sendSslTcpMessage,
  sendSslTcpMessageSync,
  startAsyncSslTcpServer,
  startSslTcpServer,
  type SslHandler,
  type SslMessageOptions,
  type SslServerOptions,
} from '@knsock/core/kn-sock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { versions, type Version } from '../support/raw-tls.js';
import { needsTools } from './tools.js';

const program = fileURLToPath(new URL('kn_sock_peer.py', import.meta.url));
const MIB = 1_048_576;

let files: CertificateFolder;
beforeAll(async () => {
  files = await createCertificateFolder();
});
afterAll(() => files[Symbol.asyncDispose]());

interface Case {
  readonly version: Version;
  readonly mutual: boolean;
}

const cases: Case[] = versions.flatMap((version) => [
  { version, mutual: false },
  { version, mutual: true },
]);
const flavours = ['sync', 'async'] as const;

const pair = (side: 'server' | 'client') => ({
  certfile: files.at(`${side}.crt`),
  keyfile: files.at(`${side}.key`),
});
const asServer = ({ mutual }: Case): SslServerOptions => ({
  host: '127.0.0.1',
  ...pair('server'),
  ...(mutual && { cafile: files.at('ca.crt'), requireClientCert: true }),
});
const asClient = ({ mutual }: Case): SslMessageOptions => ({
  cafile: files.at('ca.crt'),
  ...(mutual && pair('client')),
});

/** The command line of the Python program in a role. */
function argsOf(side: 'server' | 'client', { version, mutual }: Case, ...role: string[]): string[] {
  const { certfile, keyfile } = pair(side);
  const own = side === 'server' || mutual ? ['--certfile', certfile, '--keyfile', keyfile] : [];
  const trust = side === 'client' || mutual ? ['--cafile', files.at('ca.crt')] : [];
  const demand = side === 'server' && mutual ? ['--require-client-cert'] : [];
  return [program, ...role, '--tls', version, ...own, ...trust, ...demand];
}

async function pythonClient(role: string, port: number, which: Case, ...rest: string[]): Promise<string> {
  const child = spawn('python3', argsOf('client', which, role, String(port), ...rest));
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()));
  await once(child, 'close');
  return output.trim();
}

async function pythonServer(flavour: string, which: Case): Promise<{ port: number } & AsyncDisposable> {
  const child: ChildProcess = spawn('python3', argsOf('server', which, `${flavour}-server`));
  const port = await Promise.race([
    once(child.stdout!, 'data').then(([line]) => Number(String(line))),
    once(child, 'exit').then(() => {
      throw new Error('the Python server ended');
    }),
  ]);
  const dispose = async (): Promise<void> => {
    const ended = once(child, 'close');
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await ended;
  };
  return { port, [Symbol.asyncDispose]: dispose };
}

describe.each(flavours)('our %s server', (flavour) => {
  const start = flavour === 'sync' ? startSslTcpServer : startAsyncSslTcpServer;

  it.for(cases)("answers a client of kn-sock's kind: $version, mutual: $mutual", async (which, context) => {
    needsTools(context, 'python3');
    const seen: string[] = [];
    const handler: SslHandler = async (data, _addr, connection) => {
      seen.push(`${data.toString()} by ${connection.peer?.commonNames[0] ?? 'nobody'}`);
      await connection.sendall('Secure response');
    };
    await using server = await start(0, handler, asServer(which));
    const { port } = server.address;
    expect(await pythonClient('client-read', port, which, 'Hello')).toBe(`${which.version} Secure response`);
    expect(await pythonClient('client', port, which, 'Only sent')).toBe('');
    const who = which.mutual ? 'app' : 'nobody';
    await expect.poll(() => seen).toEqual([`Hello by ${who}`, `Only sent by ${who}`]);
  });

  it('answers 16 of them at the same time', async (context) => {
    needsTools(context, 'python3');
    const which = { version: 'TLSv1.3', mutual: true } as const;
    let waiting = 0;
    let release: (() => void) | undefined;
    const all = new Promise<void>((resolve) => (release = resolve));
    const handler: SslHandler = async (data, _addr, connection) => {
      // Nobody is answered before all have asked: one at a time would never get there.
      if (++waiting === 16) release?.();
      await all;
      await connection.sendall(`for ${data.toString()}`);
    };
    await using server = await start(0, handler, asServer(which));
    const answers = await pythonClient('clients', server.address.port, which, 'client', '16');
    const expected = Array.from({ length: 16 }, (_, number) => `TLSv1.3 for client ${number}`);
    expect(answers.split('\n').sort()).toEqual(expected.sort());
  });
});

describe.each(flavours)("a %s server of kn-sock's kind", (flavour) => {
  it.for(cases)('answers our client: $version, mutual: $mutual', async (which, context) => {
    needsTools(context, 'python3');
    await using server = await pythonServer(flavour, which);
    const reply = await sendSslTcpMessage('localhost', server.port, 'Hello', asClient(which));
    expect(String(reply)).toBe('Secure response to Hello');
    const blocked = sendSslTcpMessageSync('localhost', server.port, 'Hello', asClient(which));
    expect(String(blocked)).toBe('Secure response to Hello');
  });

  it.for(cases)('sends long replies whole: $version, mutual: $mutual', async (which, context) => {
    needsTools(context, 'python3');
    await using server = await pythonServer(flavour, which);
    const ask = (bytes: number, until?: SslMessageOptions['until']) =>
      sendSslTcpMessage('localhost', server.port, `much:${bytes}`, { ...asClient(which), until });
    const whole = (reply: Buffer, bytes: number) => reply.equals(Buffer.alloc(bytes, 'm'));
    expect(whole(await ask(1_500), 1_500)).toBe(true);
    expect(whole(await ask(3 * MIB, { bytes: 3 * MIB }), 3 * MIB)).toBe(true);
    // The end is what the synchronous server marks its reply by; the other waits for ours.
    if (flavour === 'sync') expect(whole(await ask(3 * MIB, 'end'), 3 * MIB)).toBe(true);
  });
});

describe('a server that goes on after its reply', () => {
  it('serves our blocking client over one connection', async (context) => {
    needsTools(context, 'python3');
    const which = { version: 'TLSv1.3', mutual: true } as const;
    await using server = await pythonServer('async', which);
    for (const word of ['one', 'two', 'three']) {
      const options = { ...asClient(which), until: { bytes: 19 + word.length }, keep: true };
      const reply = sendSslTcpMessageSync('localhost', server.port, word, options);
      expect(String(reply)).toBe(`Secure response to ${word}`);
    }
  });
});
