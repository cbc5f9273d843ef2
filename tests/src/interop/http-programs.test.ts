/** Programs that people reach HTTP servers with: curl, and a browser. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadCredentials } from '@knsock/core';
import { peerOf, serveHttp, type HttpServer, type ServeHttpOptions } from '@knsock/core/http';
import { WebSocketServer } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { portOf } from '../support/world.js';
import { needsTools, toolPath } from './tools.js';

const run = promisify(execFile);
let files: CertificateFolder;
beforeAll(async () => {
  files = await createCertificateFolder();
});
afterAll(() => files[Symbol.asyncDispose]());

/** Asks over a WebSocket, posts the answer, and says at the end what came back. */
const PAGE = `<!doctype html><title>page</title><script>
  const socket = new WebSocket('wss://' + location.host + '/socket');
  socket.onopen = () => socket.send('hello');
  socket.onmessage = async ({ data }) => {
    const posted = await fetch('/echo', { method: 'POST', body: data.repeat(10000) });
    const { length } = await posted.text();
    await fetch('/done', { method: 'POST', body: data + ', ' + length });
  };
</script>`;

async function serveFiles(options: Partial<ServeHttpOptions> = {}): Promise<HttpServer> {
  const credentials = await loadCredentials({
    certFile: files.at('server.crt'),
    keyFile: files.at('server.key'),
    caFile: files.at('ca.crt'),
  });
  return serveHttp({ port: 0, host: '127.0.0.1', credentials, ...options }, (request, response) => {
    if (request.method === 'GET') response.end(peerOf(request)?.commonNames[0]);
    else request.pipe(response);
  });
}

describe('curl', () => {
  const curl = (port: number, ...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    run(
      'curl',
      ['-sSi', '--max-time', '20', '--cacert', files.at('ca.crt'), ...args, `https://localhost:${port}/`],
      { maxBuffer: 16_777_216 },
    );
  const certificate = () => ['--cert', files.at('client.crt'), '--key', files.at('client.key')];

  it('is admitted by its certificate', async (context) => {
    needsTools(context, 'curl');
    await using server = await serveFiles({ clientCertificates: 'require' });
    const { stdout } = await curl(portOf(server), ...certificate());
    expect(stdout).toContain('HTTP/1.1 200 OK');
    expect(stdout).toContain('app');
  });

  it('is refused without one', async (context) => {
    needsTools(context, 'curl');
    await using server = await serveFiles({ clientCertificates: 'require' });
    await expect(curl(portOf(server))).rejects.toMatchObject({ stdout: '' });
    expect(server.stats().refusedPeers).toBe(1);
  });

  it('speaks without ALPN, waits to be asked for a body, and keeps its connection', async (context) => {
    needsTools(context, 'curl');
    await using server = await serveFiles();
    const body = await files.write('body', 'x'.repeat(2_000_000));
    const upload = ['--no-alpn', '-H', 'Expect: 100-continue', '--data-binary', `@${body}`];
    const { stdout } = await curl(portOf(server), ...upload, `https://localhost:${portOf(server)}/again`);
    expect(stdout).toContain('HTTP/1.1 100 Continue');
    expect(stdout.match(/x{2000000}/g)).toHaveLength(2);
    expect(server.stats().admitted).toBe(1);
  });
});

describe('Chromium', () => {
  it('shows a page, posts, and speaks over a WebSocket', async (context) => {
    needsTools(context, 'chromium');
    const done = withResolvers<string>();
    await using server = await servePage(done.resolve);
    new WebSocketServer({ server: server.http }).on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('message', (message: Buffer) => {
        socket.send(`${message.toString()} back`);
      });
    });
    await using _browser = await browse(`https://localhost:${portOf(server)}/`, done.reject);
    expect(await done.promise).toBe('hello back, 100000');
  });
});

/** Node 20 lacks Promise.withResolvers. */
function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

async function servePage(done: (text: string) => void): Promise<HttpServer> {
  const credentials = await loadCredentials({
    certFile: files.at('server.crt'),
    keyFile: files.at('server.key'),
  });
  return serveHttp(
    { port: 0, host: '127.0.0.1', credentials, drainTimeout: 1_000 },
    async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      if (request.method === 'GET') response.setHeader('Content-Type', 'text/html').end(PAGE);
      else response.end(body);
      if (request.url === '/done') done(body);
    },
  );
}

/** A browser that has opened a page, until it is disposed of. */
async function browse(url: string, failed: (error: Error) => void): Promise<AsyncDisposable> {
  const profile = await mkdtemp(join(tmpdir(), 'knsock-chromium-'));
  const args = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--remote-debugging-port=0',
  ];
  const child = spawn(
    toolPath('chromium') as string,
    // Its own store takes no authority from the command line; the key of the server it does.
    [...args, `--user-data-dir=${profile}`, `--ignore-certificate-errors-spki-list=${await spkiHash()}`, url],
    { stdio: 'ignore', detached: true, env: { ...process.env, HOME: profile } },
  );
  const ended = once(child, 'exit');
  void ended.then(([code]) => {
    failed(new Error(`chromium ended with ${String(code)}`));
  });
  return {
    async [Symbol.asyncDispose]() {
      // The whole family: it starts processes of its own.
      process.kill(-(child.pid as number), 'SIGKILL');
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function spkiHash(): Promise<string> {
  const { certificate } = await loadCredentials({
    certFile: files.at('server.crt'),
    keyFile: files.at('server.key'),
  });
  return certificate?.spkiPin.slice('sha256/'.length) ?? '';
}
