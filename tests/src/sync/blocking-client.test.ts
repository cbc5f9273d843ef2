import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:tls';
import {
  BlockingCallError,
  ClientCertificateRefusedError,
  ConnectionRefusedError,
  ConnectionTimeoutError,
  CredentialsError,
  EasySocketError,
  InvalidOptionError,
  MessageTooLargeError,
  ReplyTimeoutError,
  TruncatedMessageError,
  UntrustedPeerError,
} from '@knsock/core';
import { sendSslTcpMessageSync, startSslTcpServer, type SyncSslMessageOptions } from '@knsock/core/kn-sock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { portOf } from '../support/world.js';
import { startOtherServer, type OtherServer } from './server.js';

let files: CertificateFolder;
let server: OtherServer;
beforeAll(async () => {
  files = await createCertificateFolder();
  server = await startOtherServer(files.path);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
});

const ask = (message: string | Uint8Array, options: SyncSslMessageOptions = {}, port = server.port): Buffer =>
  sendSslTcpMessageSync('localhost', port, message, {
    cafile: files.at('ca.crt'),
    until: 'first',
    ...options,
  });

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('sendSslTcpMessageSync', () => {
  it('returns the reply, text or bytes sent', () => {
    expect(String(ask('echo:Hello Secure'))).toBe('Hello Secure');
    expect(String(ask(Buffer.from('echo:from a Buffer of the pool')))).toBe('from a Buffer of the pool');
    expect(Buffer.isBuffer(ask('echo:x'))).toBe(true);
  });

  it('ends the reply where until says', () => {
    expect(String(ask('echo:0123456789', { until: { bytes: 4 } }))).toBe('0123');
    expect(String(ask('echo:quiet', { until: { quiet: 20 } }))).toBe('quiet');
    const much = ask('much:3000000', { until: 'end' });
    expect(much.equals(Buffer.alloc(3_000_000, 'm'))).toBe(true);
    expect(ask('bye:', { until: 'end' })).toHaveLength(0);
  });

  it('shows a client certificate, and learns that it needs one', async () => {
    await using strict = await startOtherServer(files.path, { requireClient: true });
    const pair = { certfile: files.at('client.crt'), keyfile: files.at('client.key') };
    expect(String(ask('echo:app', pair, strict.port))).toBe('app');
    expect(thrownBy(() => ask('echo:nobody', { timeout: 5_000 }, strict.port))).toBeInstanceOf(
      ClientCertificateRefusedError,
    );
  });

  it('trusts any server with verify: false alone', () => {
    expect(String(ask('echo:x', { cafile: undefined, verify: false }))).toBe('x');
    const untrusted = thrownBy(() => ask('echo:x', { cafile: undefined }));
    expect(untrusted).toBeInstanceOf(UntrustedPeerError);
    expect(untrusted).toBeInstanceOf(EasySocketError);
    expect(untrusted).toMatchObject({
      code: 'KNSOCK_PEER_UNKNOWN_ISSUER',
      hint: expect.stringContaining('caFile') as string,
      certificate: { notAfter: expect.any(Date) as Date },
    });
  });

  it('takes a file that was changed since the last call', async () => {
    await files.write('changing.crt', readFileSync(files.at('ca.crt')));
    const changing = { cafile: files.at('changing.crt'), keep: true };
    expect(String(ask('echo:x', changing))).toBe('x');
    const other = await createCertificateFolder();
    await files.write('changing.crt', readFileSync(other.at('ca.crt')));
    await other[Symbol.asyncDispose]();
    expect(thrownBy(() => ask('echo:x', changing))).toBeInstanceOf(UntrustedPeerError);
  });

  it("throws what the call that doesn't block rejects with, fields and all", () => {
    const late = thrownBy(() => ask('half:', { until: 'end', timeout: 300 }));
    expect(late).toBeInstanceOf(ReplyTimeoutError);
    expect(late).toMatchObject({ phase: 'reply', ms: 300, received: Buffer.from('half of') });
    const short = thrownBy(() => ask('bye:abc', { until: { bytes: 10 } }));
    expect(short).toBeInstanceOf(TruncatedMessageError);
    expect(short).toMatchObject({ received: Buffer.from('abc') });
    const large = thrownBy(() => ask('much:2000', { until: 'end', maxReplyBytes: 1_000 }));
    expect(large).toBeInstanceOf(MessageTooLargeError);
    expect(large).toMatchObject({ limit: 1_000 });
    const lost = thrownBy(() => ask('echo:x', { cafile: files.at('nowhere.crt') }));
    expect(lost).toBeInstanceOf(CredentialsError);
    expect(lost).toMatchObject({ file: files.at('nowhere.crt'), cause: { code: 'ENOENT' } });
    const refused = thrownBy(() => ask('echo:x', {}, 1));
    expect(refused).toBeInstanceOf(ConnectionRefusedError);
    expect(refused).toMatchObject({ retryable: true, cause: { code: 'ECONNREFUSED' } });
  });

  it("names the place of the call in the error's stack", () => {
    const { stack } = thrownBy(() => ask('echo:x', {}, 1)) as Error;
    expect(stack).toMatch(
      /^ConnectionRefusedError: [^]*blocking-client\.test[^]*-- in the worker --\n {4}at /,
    );
  });

  it.each<[string, object]>([
    ['signal', { signal: new AbortController().signal }],
    ['keep', { keep: 'yes' }],
    ['keep', { keep: true, until: 'end' }],
    ['ca_file', { ca_file: 'x' }],
    ['verify', { verify: 0 }],
  ])('refuses the option %s before anything is sent: %o', (option, options) => {
    const error = thrownBy(() => ask('echo:x', options));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toMatchObject({ option });
  });
});

describe('a kept connection', () => {
  const keep = { keep: true };

  it('serves the next calls, and none that are made otherwise', () => {
    const first = String(ask('number:', keep));
    expect(String(ask('number:', keep))).toBe(first);
    expect(String(ask('number:', { ...keep, until: { bytes: first.length } }))).toBe(first);
    expect(String(ask('number:'))).not.toBe(first);
    expect(String(ask('number:', { ...keep, verify: false }))).not.toBe(first);
    const pair = { certfile: files.at('client.crt'), keyfile: files.at('client.key') };
    expect(String(ask('number:', { ...keep, ...pair }))).not.toBe(first);
    expect(String(ask('number:', keep))).toBe(first);
  });

  it('is not handed out once the server has ended', () => {
    const first = String(ask('number:', keep));
    expect(String(ask('bye:farewell', { ...keep, until: { quiet: 20 } }))).toBe('farewell');
    expect(String(ask('number:', keep))).not.toBe(first);
  });

  it('is not handed out with bytes that nobody asked for', () => {
    const first = String(ask('number:', keep));
    expect(String(ask('spoil:', keep))).toBe('one');
    expect(String(ask('more:', { until: 'end' }))).toBe('said');
    expect(String(ask('number:', keep))).not.toBe(first);
    expect(String(ask('echo:mine', keep))).toBe('mine');
    expect(String(ask('echo:more than asked', { ...keep, until: { bytes: 4 } }))).toBe('more');
    expect(String(ask('echo:mine', keep))).toBe('mine');
  });

  it('that ends under a message is an error, never an empty reply or a second try', () => {
    expect(String(ask('once:', keep))).toBe('one');
    const error = thrownBy(() => ask('silence:', keep));
    expect(error).toMatchObject({
      code: expect.stringMatching(/KNSOCK_CONNECTION_(CLOSED|RESET)/) as string,
    });
    expect(String(ask('echo:later', keep))).toBe('later');
  });

  it("isn't kept after a failure", () => {
    const first = String(ask('number:', keep));
    expect(thrownBy(() => ask('silence:', { ...keep, timeout: 100 }))).toBeInstanceOf(ReplyTimeoutError);
    expect(String(ask('number:', keep))).not.toBe(first);
  });
});

describe('a server in the thread that would be blocked', () => {
  const asServer = () => ({ certfile: files.at('server.crt'), keyfile: files.at('server.key') });

  it.each(['localhost', '127.0.0.1', 'sub.localhost'])(
    'is refused at once when called as %s',
    async (host) => {
      await using own = await startSslTcpServer(0, () => undefined, asServer());
      const error = thrownBy(() => sendSslTcpMessageSync(host, portOf(own), 'x'));
      expect(error).toBeInstanceOf(BlockingCallError);
      expect(error).toMatchObject({ code: 'KNSOCK_BLOCKING_SAME_THREAD', reason: 'same-thread' });
    },
  );

  it('is forgotten once it is closed', async () => {
    const own = await startSslTcpServer(0, () => undefined, asServer());
    const port = portOf(own);
    await own.close();
    expect(thrownBy(() => sendSslTcpMessageSync('localhost', port, 'x'))).toBeInstanceOf(
      ConnectionRefusedError,
    );
  });

  it("doesn't stand in the way of another server", async () => {
    await using _own = await startSslTcpServer(0, () => undefined, asServer());
    expect(String(ask('echo:x'))).toBe('x');
  });

  it("that isn't of this library is named in the hint of the timeout", async () => {
    const plain = createServer({
      cert: readFileSync(files.at('server.crt')),
      key: readFileSync(files.at('server.key')),
    });
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const { port } = plain.address() as { port: number };
    const error = thrownBy(() => ask('echo:x', { timeout: 300 }, port));
    expect(error).toBeInstanceOf(ConnectionTimeoutError);
    expect(error).toMatchObject({ phase: 'tls', hint: expect.stringContaining('very thread') as string });
    plain.close();
  });
});
