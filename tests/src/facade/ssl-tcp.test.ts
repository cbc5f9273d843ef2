import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect as connectTls, createServer, type TLSSocket } from 'node:tls';
import {
  CredentialsError,
  EasySocketError,
  InvalidOptionError,
  MessageTooLargeError,
  ReplyTimeoutError,
  SecurityError,
  UntrustedPeerError,
} from '@knsock/core';
import {
  sendSslTcpMessage,
  sendSslTcpMessageAsync,
  startAsyncSslTcpServer,
  startSslTcpServer,
  type SslConnection,
  type SslMessageOptions,
} from '@knsock/core/kn-sock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { versions } from '../support/raw-tls.js';
import { portOf } from '../support/world.js';

let files: CertificateFolder;
beforeAll(async () => {
  files = await createCertificateFolder();
});
afterAll(() => files[Symbol.asyncDispose]());

const asServer = () => ({
  host: '127.0.0.1',
  certfile: files.at('server.crt'),
  keyfile: files.at('server.key'),
});
const trusting = () => ({ cafile: files.at('ca.crt') });
const asClient = () => ({ ...trusting(), certfile: files.at('client.crt'), keyfile: files.at('client.key') });

describe('startSslTcpServer', () => {
  it('gives the first data and its sender to a sync handler, delivers the answer, and ends', async () => {
    const seen: unknown[] = [];
    await using server = await startSslTcpServer(
      0,
      (data, addr, connection) => {
        seen.push(data.toString(), addr);
        void connection.sendall('Secure response');
      },
      asServer(),
    );
    const reply = await sendSslTcpMessage('localhost', portOf(server), 'Hello Secure', {
      ...trusting(),
      until: 'end',
    });
    expect(reply.toString()).toBe('Secure response');
    expect(seen).toEqual(['Hello Secure', { address: '127.0.0.1', port: expect.any(Number) as number }]);
  });

  it('waits for an async handler before it ends', async () => {
    await using server = await startSslTcpServer(
      0,
      async (data, _addr, connection) => {
        await connection.sendall('one ');
        await new Promise(setImmediate);
        connection.write(data);
        await connection.drain();
      },
      asServer(),
    );
    const reply = await sendSslTcpMessage('localhost', portOf(server), 'two', {
      ...trusting(),
      until: 'end',
    });
    expect(reply.toString()).toBe('one two');
  });

  it.each<[string, (connection: SslConnection) => void]>([
    ['the stream', (connection) => void connection.stream().end('taken over')],
    ['the messages', (connection) => (connection.onMessage(() => undefined), connection.write('taken over'))],
  ])('ends well after a handler that took %s for itself', async (_what, take) => {
    const errors: Error[] = [];
    const onError = (error: Error): void => void errors.push(error);
    await using server = await startSslTcpServer(0, (_data, _addr, connection) => take(connection), {
      ...asServer(),
      onError,
    });
    const options = { ...trusting(), until: 'end' } as const;
    const reply = await sendSslTcpMessage('localhost', portOf(server), 'mine', options);
    expect(reply.toString()).toBe('taken over');
    expect(errors).toEqual([]);
  });

  it('delivers its answer whole to a client that sends more than is read', async () => {
    const answer = 'x'.repeat(3_000_000);
    await using server = await startSslTcpServer(
      0,
      (_data, _addr, connection) => connection.sendall(answer),
      asServer(),
    );
    const reply = await sendSslTcpMessage('localhost', portOf(server), Buffer.alloc(5_000_000), {
      ...trusting(),
      until: 'end',
    });
    expect(reply.length).toBe(answer.length);
  });

  it('answers others while one client stalls and one handler never ends', async () => {
    const stuck = new Promise<never>(() => undefined);
    const server = await startSslTcpServer(
      0,
      (data, _addr, connection) => (data.toString() === 'stall' ? stuck : connection.sendall(data)),
      asServer(),
    );
    const silent = connectTls({
      port: portOf(server),
      host: '127.0.0.1',
      ca: readFileSync(files.at('ca.crt')),
      servername: 'localhost',
    });
    await once(silent, 'secureConnect');
    silent.write('stall');
    const options = { ...trusting(), until: 'end' } as const;
    const replies = await Promise.all(
      Array.from({ length: 16 }, (_, n) => sendSslTcpMessage('localhost', portOf(server), `${n}`, options)),
    );
    expect(replies.map(String)).toEqual(Array.from({ length: 16 }, (_, n) => `${n}`));
    silent.destroy();
    await server.close({ deadline: 1 });
  });

  it("loses nothing but the connection whose handler fails, which isn't taken for an empty reply", async () => {
    await using server = await startSslTcpServer(
      0,
      (data, _addr, connection) => {
        if (data.toString() === 'fail') throw new Error('on purpose');
        return connection.sendall(data);
      },
      asServer(),
    );
    const options = { ...trusting(), until: 'end' } as const;
    const failing = sendSslTcpMessage('localhost', portOf(server), 'fail', options);
    await expect(failing).rejects.toMatchObject({ code: 'KNSOCK_CONNECTION_RESET' });
    expect(String(await sendSslTcpMessage('localhost', portOf(server), 'fine', options))).toBe('fine');
  });

  it("doesn't bring the program down when an answer can't be sent and nobody waits for it", async () => {
    const answered = deferred();
    await using server = await startSslTcpServer(
      0,
      (_data, _addr, connection) => {
        connection.destroy();
        void connection.closed.then(() => {
          void connection.sendall('too late');
          void connection.drain();
          answered.resolve(undefined);
        });
      },
      asServer(),
    );
    await sendSslTcpMessage('localhost', portOf(server), 'x', trusting()).catch(() => undefined);
    await answered.promise;
  });

  it('keeps the same object when it gives it the two names', async () => {
    let given: SslConnection | undefined;
    await using server = await startSslTcpServer(0, (_data, _addr, connection) => void (given = connection), {
      ...asServer(),
      keepOpen: true,
    });
    const client = connectTls({ port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false });
    client.write('x');
    await expect.poll(() => given).toBeDefined();
    expect([...server.connections()]).toEqual([given]);
    client.end();
    client.resume();
  });

  it('asks for certificates with cafile, and demands them with requireClientCert', async () => {
    const who = (_data: Buffer, _addr: unknown, connection: SslConnection) =>
      connection.sendall(connection.peer?.commonNames[0] ?? 'nobody');
    await using asking = await startSslTcpServer(0, who, { ...asServer(), ...trusting() });
    await using demanding = await startSslTcpServer(0, who, {
      ...asServer(),
      ...trusting(),
      requireClientCert: true,
    });
    const ask = async (port: number, options: SslMessageOptions) =>
      String(await sendSslTcpMessage('localhost', port, 'who am I?', { ...options, until: 'end' }));
    expect(await ask(portOf(asking), trusting())).toBe('nobody');
    expect(await ask(portOf(asking), asClient())).toBe('app');
    expect(await ask(portOf(demanding), asClient())).toBe('app');
    const refused = ask(portOf(demanding), trusting());
    await expect(refused).rejects.toMatchObject({
      code: 'KNSOCK_CONNECTION_ENDED_EARLY',
      causes: ['client-certificate', 'framing', 'handler'],
    });
  });

  it.each(versions)('never lets a refused client take the end for an empty reply: %s', async (version) => {
    await using server = await startSslTcpServer(0, () => undefined, {
      host: '127.0.0.1',
      requireClientCert: true,
      sslContext: {
        cert: readFileSync(files.at('server.crt')),
        key: readFileSync(files.at('server.key')),
        ca: readFileSync(files.at('ca.crt')),
        minVersion: version,
        maxVersion: version,
      },
    });
    expect(await sendSslTcpMessage('localhost', portOf(server), 'x', asClient())).toHaveLength(0);
    for (const message of ['x', Buffer.alloc(5_000_000)]) {
      const refused = sendSslTcpMessage('localhost', portOf(server), message, trusting());
      const code = expect.stringMatching(/ENDED_EARLY|CERTIFICATE_REFUSED|DISCONNECTED/) as string;
      await expect(refused).rejects.toMatchObject({ code });
    }
  });

  it.each<[string, object]>([
    ['certfile', { keyfile: 'server.key' }],
    ['keyfile', { certfile: 'server.crt' }],
    ['sslContext', { certfile: 'server.crt', sslContext: {} }],
    ['require_client_cert', { require_client_cert: true }],
  ])('names the option %s in what it refuses', async (option, options) => {
    const starting = startSslTcpServer(0, () => undefined, options);
    await expect(starting).rejects.toBeInstanceOf(InvalidOptionError);
    await expect(starting).rejects.toMatchObject({ option });
  });

  it('refuses to demand certificates that it has no CA for', async () => {
    const starting = startSslTcpServer(0, () => undefined, { ...asServer(), requireClientCert: true });
    await expect(starting).rejects.toMatchObject({ option: 'requireClientCert' });
  });
});

describe('startAsyncSslTcpServer', () => {
  it('hands on piece after piece until the client ends', async () => {
    await using server = await startAsyncSslTcpServer(
      0,
      async (data, _addr, connection) => {
        connection.write(`${data.toString()}!`);
        await connection.drain();
      },
      asServer(),
    );
    const client = connectTls({ port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false });
    for (const word of ['one', 'two', 'three']) {
      client.write(word);
      expect(String(((await once(client, 'data')) as [Buffer])[0])).toBe(`${word}!`);
    }
    client.end();
    await once(client, 'end');
  });
});

describe('sslContext', () => {
  const material = (name: string) => readFileSync(files.at(name), 'utf8');
  const reach = async (port: number, maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string> => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion });
    await once(socket, 'secureConnect');
    const agreed = `${socket.getProtocol() ?? ''} ${socket.getCipher().name}`;
    socket.destroy();
    return agreed;
  };

  it('takes what Node takes, and keeps TLS 1.3 beside a list of TLS 1.2 suites', async () => {
    const rsa = await files.authority.issue({
      kind: 'server',
      names: ['localhost'],
      days: 7,
      keyType: 'rsa2048',
    });
    await using server = await startSslTcpServer(0, () => undefined, {
      host: '127.0.0.1',
      sslContext: {
        cert: rsa.chain,
        key: rsa.key,
        minVersion: 'TLSv1.2',
        ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256',
      },
    });
    expect(await reach(portOf(server), 'TLSv1.3')).toMatch(/^TLSv1\.3 TLS_/);
    expect(await reach(portOf(server), 'TLSv1.2')).toBe('TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384');
  });

  it('judges clients by its CA and CRL', async () => {
    const revoked = await files.authority.issue({ kind: 'client', commonName: 'gone', days: 7 });
    await files.authority.revoke(revoked.certificate, 'key-compromise');
    const { pem } = await files.authority.crl();
    await using server = await startSslTcpServer(
      0,
      (_data, _addr, connection) => connection.sendall(connection.peer?.commonNames[0] ?? ''),
      {
        host: '127.0.0.1',
        requireClientCert: true,
        sslContext: {
          cert: material('server.crt'),
          key: material('server.key'),
          ca: material('ca.crt'),
          crl: pem,
        },
      },
    );
    await files.write('gone.crt', revoked.chain);
    await files.write('gone.key', revoked.key);
    const gone = { ...trusting(), certfile: files.at('gone.crt'), keyfile: files.at('gone.key') };
    const reply = await sendSslTcpMessage('localhost', portOf(server), 'x', asClient());
    expect(String(reply)).toBe('app');
    await expect(sendSslTcpMessage('localhost', portOf(server), 'x', gone)).rejects.toMatchObject({
      code: 'KNSOCK_CONNECTION_ENDED_EARLY',
      message: expect.stringContaining('refused our certificate (CN=gone)') as string,
    });
    expect(server.stats().refusedPeers).toBe(1);
  });
});

describe('sendSslTcpMessage', () => {
  /** A server of Node's own, so that ours isn't on both sides. */
  async function answering(answer: (socket: TLSSocket) => void): Promise<{ port: number } & AsyncDisposable> {
    const sockets = new Set<Socket>();
    const server = createServer(
      {
        cert: readFileSync(files.at('server.crt')),
        key: readFileSync(files.at('server.key')),
        allowHalfOpen: true,
      },
      (socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => {
          answer(socket);
        });
      },
    );
    server.on('connection', (socket: Socket) => sockets.add(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const close = (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) =>
        server.close(() => {
          resolve();
        }),
      );
    };
    return { port: (server.address() as { port: number }).port, [Symbol.asyncDispose]: close };
  }

  it('resolves after a silence though the server stays', async () => {
    await using server = await answering((socket) => socket.write('still here'));
    const reply = await sendSslTcpMessage('localhost', server.port, 'x', {
      ...trusting(),
      until: { quiet: 20 },
    });
    expect(String(reply)).toBe('still here');
  });

  it('resolves with the first piece, or with so many bytes', async () => {
    await using server = await answering((socket) => socket.write('0123456789'));
    const ask = (until: SslMessageOptions['until']) =>
      sendSslTcpMessageAsync('localhost', server.port, 'x', { ...trusting(), until });
    expect(String(await ask('first'))).toBe('0123456789');
    expect(String(await ask({ bytes: 4 }))).toBe('0123');
  });

  it('resolves empty where the server ends without a word', async () => {
    await using server = await answering((socket) => socket.end());
    expect(await sendSslTcpMessage('localhost', server.port, 'x', trusting())).toHaveLength(0);
  });

  it("doesn't half-close: a server that takes an end for a hang-up still answers", async () => {
    await using server = await answering((socket) => {
      let hungUp = false;
      socket.once('end', () => (hungUp = true));
      setImmediate(() => setImmediate(() => socket.end(hungUp ? 'hung up' : 'served')));
    });
    const reply = await sendSslTcpMessage('localhost', server.port, 'x', { ...trusting(), until: 'end' });
    expect(String(reply)).toBe('served');
  });

  it('keeps what came when time runs out', async () => {
    await using server = await answering((socket) => socket.write('half of'));
    const asking = sendSslTcpMessage('localhost', server.port, 'x', {
      ...trusting(),
      until: 'end',
      timeout: 300,
    });
    const error = await asking.catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(ReplyTimeoutError);
    expect(error).toMatchObject({ code: 'KNSOCK_REPLY_TIMEOUT', phase: 'reply', ms: 300 });
    expect(String((error as ReplyTimeoutError).received)).toBe('half of');
  });

  it('takes no more than maxReplyBytes', async () => {
    await using server = await answering((socket) => socket.end(Buffer.alloc(2_000)));
    const options = { ...trusting(), until: 'end', maxReplyBytes: 1_000 } as const;
    await expect(sendSslTcpMessage('localhost', server.port, 'x', options)).rejects.toBeInstanceOf(
      MessageTooLargeError,
    );
  });

  it("gives up with the signal's reason", async () => {
    await using server = await answering(() => {
      controller.abort(new Error('enough'));
    });
    const controller = new AbortController();
    const asking = sendSslTcpMessage('localhost', server.port, 'x', {
      ...trusting(),
      signal: controller.signal,
    });
    await expect(asking).rejects.toThrow('enough');
  });

  it('resumes its sessions, but for one that shows a certificate, whose refusal would look like an empty reply', async () => {
    const resumed: boolean[] = [];
    await using server = await startSslTcpServer(
      0,
      (_data, _addr, connection) => {
        resumed.push(connection.tls.resumed);
        return connection.sendall('x');
      },
      { ...asServer(), ...trusting() },
    );
    for (const options of [trusting(), trusting(), asClient(), asClient()]) {
      await sendSslTcpMessage('localhost', server.address.port, 'x', { ...options, until: 'end' });
    }
    expect(resumed).toEqual([false, true, false, false]);
  });

  it("tells the errors of kn-sock's page apart", async () => {
    await using server = await answering((socket) => socket.end('x'));
    const untrusted = await sendSslTcpMessage('localhost', server.port, 'x').catch((error: unknown) => error);
    expect(untrusted).toBeInstanceOf(UntrustedPeerError);
    expect(untrusted).toBeInstanceOf(SecurityError);
    expect(untrusted).toBeInstanceOf(EasySocketError);
    const unreadable = sendSslTcpMessage('localhost', server.port, 'x', { cafile: files.at('nowhere.crt') });
    await expect(unreadable).rejects.toBeInstanceOf(CredentialsError);
  });

  it('trusts any server with verify: false, and takes nothing but true and false', async () => {
    await using server = await answering((socket) => socket.end('x'));
    expect(String(await sendSslTcpMessage('localhost', server.port, 'x', { verify: false }))).toBe('x');
    const vague = sendSslTcpMessage('localhost', server.port, 'x', { verify: 0 as unknown as boolean });
    await expect(vague).rejects.toMatchObject({ option: 'verify' });
  });

  it.each<[string, unknown[]]>([
    ['host', ['', 1, 'x']],
    ['port', ['localhost', 70_000, 'x']],
    ['message', ['localhost', 1, { a: 1 }]],
    ['ca_file', ['localhost', 1, 'x', { ca_file: 'ca.crt' }]],
    ['timeout', ['localhost', 1, 'x', { timeout: -1 }]],
  ])('names the option %s in what it refuses', async (option, args) => {
    const sending = (sendSslTcpMessage as (...all: unknown[]) => Promise<Buffer>)(...args);
    await expect(sending).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
  });

  it.each(['requireClientCert', 'keepOpen'])('takes nothing but true and false for %s', async (option) => {
    for (const value of ['false', 0, null]) {
      const starting = startSslTcpServer(0, () => undefined, { [option]: value });
      await expect(starting).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
    }
  });
});

function deferred(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve!: (value: unknown) => void;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}
