import { execFile } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect as connectTcp, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import path from 'node:path';
import { promisify } from 'node:util';
import { createAuthority } from '@knsock/certs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, knsockCommand, startServe, type RunOptions } from '../support/command.js';

let files: CertificateFolder;
let pair: string[];
let ca: string[];
beforeAll(async () => {
  files = await createCertificateFolder();
  pair = ['--cert', files.at('server.crt'), '--key', files.at('server.key')];
  ca = ['--ca', files.at('ca.crt')];
});
afterAll(() => files[Symbol.asyncDispose]());

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const endsWithTickets = major >= 26 || (major === 24 && minor >= 22);

/** Runs the command and checks the form that every failure must have. */
async function fails(args: string[], exit: number, code: string, options: RunOptions = {}): Promise<string> {
  const { code: actual, stdout, stderr } = await knsock(args, options);
  expect(stderr).toContain(`code: ${code} (exit ${exit})`);
  expect(actual).toBe(exit);
  expect(stdout).toBe('');
  expect(stderr.match(/^ {2}hint: \S/gm)).toHaveLength(1);
  expect(stderr).not.toMatch(/^\s+at /m);
  return stderr;
}

describe.skipIf(process.platform === 'win32')('endless files', () => {
  it.each([
    [['serve', '--cert', '/dev/zero', '--key', '/dev/zero'], 26, 'KNSOCK_READ'],
    [['send', 'localhost:1', 'x', '--ca', '/dev/zero'], 26, 'KNSOCK_READ'],
    [['certs', 'lint', '/dev/zero'], 26, 'KNSOCK_READ'],
    [['certs', 'match', '/dev/zero', '/dev/zero'], 26, 'KNSOCK_READ'],
    [['certs', 'inspect', '/dev/zero'], 26, 'KNSOCK_READ'],
  ])('are named, and read up to a limit by %j', async (args, exit, code) => {
    const said = await fails(args, exit, code);
    expect(said).toMatch(/\/dev\/zero.*(over the limit|larger than)/);
    expect(said).toContain('hint: Is that the right file?');
  });

  it('are not pipes, which are read to their end', async () => {
    const match = 'cat "$2" | "$0" "$1" certs match /dev/stdin "$3"';
    const { stdout } = await promisify(execFile)('sh', [
      ...['-c', match, ...knsockCommand],
      ...[files.at('server.crt'), files.at('server.key')],
    ]);
    expect(stdout).toContain('belongs to /dev/stdin');
  });
});

describe('input that is there and holds nothing', () => {
  it('is named, whatever its name is', async () => {
    const empty = await files.write('empty', '');
    const said = await fails(
      ['certs', 'match', 'empty', files.at('server.key')],
      58,
      'KNSOCK_CERTIFICATE_MALFORMED',
      { cwd: path.dirname(empty) },
    );
    expect(said).toMatch(/^knsock certs match: empty: .*empty/);
  });

  it.skipIf(process.platform === 'win32')('is refused where standard input is a folder', async () => {
    const { serve, address } = await startServe(pair);
    await using _ = serve;
    const send = '"$0" "$1" send "$2" --ca "$3" < /';
    const refused = promisify(execFile)('sh', ['-c', send, ...knsockCommand, address, files.at('ca.crt')]);
    await expect(refused).rejects.toMatchObject({
      code: 26,
      stderr: expect.stringContaining("standard input can't be read: it is a folder") as string,
    });
  });
});

describe('wrong use', () => {
  it.each([
    [['sned'], "unknown command 'sned'"],
    [['send'], "missing required argument 'address'"],
    [['send', 'localhost'], "'localhost' isn't an address"],
    [['send', 'unix:/nowhere.sock', 'x'], 'has no name that the certificate could be checked for'],
    [['send', 'localhost:1', '--prot'], "unknown option '--prot'"],
    [
      ['send', 'localhost:1', 'x', '--framing', 'xml'],
      'Allowed choices are knsock, raw, lines, length-prefixed',
    ],
    [['serve', '--port', '70000'], 'from 0 to 65535'],
    [['serve', '--idle-timeout', 'soon'], 'such as 1500 (milliseconds), 30s, 5m, 12h or 7d'],
    [['serve'], 'a server needs a certificate'],
    [['serve', '--unix', 'socket', '--port', '1'], 'cannot be used with option'],
    [['serve', '--exec', 'cat', '--handler', 'x.js'], 'cannot be used with option'],
    [['serve', '--dev', '--key', 'x.key'], "can't be combined with --key"],
    [['serve', '--max-connections', 'many'], 'It is a whole number'],
    [['serve', '--status', 'nowhere'], "isn't an address"],
    [['serve', '--cert', 'a.crt', '--cert', 'b.crt'], "option '--cert <file>' is given more than once"],
    [['proxy', 'server', '--key', 'a.key', '--key=b.key'], "option '--key <file>' is given more than once"],
    [['certs', 'serve', '--listen', ':1', '--listen', ':2'], 'is given more than once'],
    [['certs', 'frobnicate'], "unknown command 'frobnicate'"],
  ])('%j reports what is wrong', async (args, words) => {
    expect(await fails(args, 2, 'KNSOCK_USAGE')).toContain(words);
  });

  it('refuses rules without a CA to verify clients', async () => {
    await fails(['serve', '--port', '0', ...pair, '--allow-cn', 'app'], 2, 'KNSOCK_INVALID_OPTION');
  });
});

describe("an address that can't be listened on", () => {
  it('in use', async () => {
    await using place = await plainServer(() => undefined);
    const stderr = await fails(
      ['serve', '--host', '127.0.0.1', '--port', place.port, ...pair],
      45,
      'KNSOCK_PORT_IN_USE',
    );
    expect(stderr).toContain(place.port);
  });

  it('not permitted', async () => {
    await fails(
      ['serve', '--unix', files.at('no-such-folder/socket'), ...pair],
      45,
      'KNSOCK_PERMISSION_DENIED',
    );
  });

  it("not this machine's", async () => {
    await fails(['serve', '--host', '192.0.2.1', '--port', '0', ...pair], 45, 'KNSOCK_ADDRESS_NOT_AVAILABLE');
  });
});

describe("credentials that can't be used", () => {
  it('missing', async () => {
    const stderr = await fails(serve('nowhere.crt', 'server.key'), 26, 'KNSOCK_READ');
    expect(stderr).toContain(files.at('nowhere.crt'));
  });

  it('unreadable', async () => {
    await fails(serve('', 'server.key'), 26, 'KNSOCK_READ');
  });

  it('garbage', async () => {
    await files.write('garbage.crt', 'not a certificate');
    await fails(serve('garbage.crt', 'server.key'), 58, 'KNSOCK_CREDENTIALS_MALFORMED');
  });

  it('half a pair', async () => {
    await fails(
      ['serve', '--port', '0', '--cert', files.at('server.crt')],
      58,
      'KNSOCK_CREDENTIALS_INCOMPLETE',
    );
  });

  it('mismatched', async () => {
    await fails(serve('server.crt', 'client.key'), 58, 'KNSOCK_CREDENTIALS_KEY_MISMATCH');
  });

  it('a wrong passphrase, and none', async () => {
    const key = createPrivateKey(await readFile(files.at('server.key')));
    const pem = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'right' });
    await files.write('locked.key', pem.toString());
    const args = serve('server.crt', 'locked.key');
    expect(await fails(args, 58, 'KNSOCK_CREDENTIALS_PASSPHRASE')).toContain(
      'is locked with a passphrase, and none was given',
    );
    const env = { KNSOCK_PASSPHRASE: 'wrong' };
    expect(await fails(args, 58, 'KNSOCK_CREDENTIALS_PASSPHRASE', { env })).toContain(
      "isn't opened by the passphrase",
    );
  });

  it('expired', async () => {
    const { cert, key } = await expired();
    await files.write('expired.crt', cert);
    await files.write('expired.key', key);
    await fails(serve('expired.crt', 'expired.key'), 58, 'KNSOCK_CREDENTIALS_EXPIRED');
  });

  function serve(cert: string, key: string): string[] {
    return ['serve', '--port', '0', '--cert', files.at(cert), '--key', files.at(key)];
  }
});

describe("a server that can't be reached", () => {
  it('unresolvable', async () => {
    await fails(['send', 'no-such-host.invalid:8443', 'x'], 6, 'KNSOCK_HOST_NOT_FOUND');
  });

  it('refused', async () => {
    const place = await plainServer(() => undefined);
    await place[Symbol.asyncDispose]();
    await fails(['send', `localhost:${place.port}`, 'x'], 7, 'KNSOCK_CONNECTION_REFUSED');
  });

  it('silent', async () => {
    await using place = await plainServer(() => undefined);
    const args = ['send', `localhost:${place.port}`, 'x', '--connect-timeout', '200'];
    expect(await fails(args, 28, 'KNSOCK_CONNECT_TIMEOUT')).toContain('waiting for the TLS handshake');
  });

  it.each([
    ['plain HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ])('that speaks %s', async (_, words) => {
    await using place = await plainServer((socket) => socket.end(words));
    await fails(['send', `localhost:${place.port}`, 'x'], 35, 'KNSOCK_HANDSHAKE_NOT_TLS');
  });
});

describe("a server whose certificate can't be read", () => {
  const inspect = (place: string, exit: number): Promise<string> =>
    fails(['certs', 'inspect', place], exit, 'KNSOCK_CERTIFICATE_UNREACHABLE');

  it('exits with the code of the cause', async () => {
    await using plain = await plainServer((socket) => socket.end('220 hello\r\n'));
    await inspect('no-such-host.invalid:443', 6);
    await inspect('localhost:1', 7);
    await inspect(`127.0.0.1:${plain.port}`, 35);
  });
});

describe("a server that isn't trusted", () => {
  it('unknown CA', async () => {
    await using place = await tlsServer(() => undefined);
    const told = await fails(['send', `localhost:${place.port}`, 'x'], 60, 'KNSOCK_PEER_UNKNOWN_ISSUER');
    expect(told).toContain(
      'was issued by CN=Test CA, of which no fitting certificate is trusted or was sent along',
    );
    expect(told).toContain('--ca ca.crt');
  });

  it('wrong name', async () => {
    await using place = await tlsServer(() => undefined);
    const args = ['send', `localhost:${place.port}`, 'x', ...ca, '--servername', 'db.internal'];
    await fails(args, 60, 'KNSOCK_PEER_WRONG_NAME');
  });

  it('expired', async () => {
    const { ca: root, ...credentials } = await expired();
    await using place = await tlsServer(() => undefined, credentials);
    const args = ['send', `localhost:${place.port}`, 'x', '--ca', await files.write('old-ca.crt', root)];
    await fails(args, 60, 'KNSOCK_PEER_EXPIRED');
  });

  it('not pinned', async () => {
    await using place = await tlsServer(() => undefined);
    const pin = `sha256/${Buffer.alloc(32).toString('base64')}`;
    const args = ['send', `localhost:${place.port}`, 'x', '--framing', 'raw', ...ca, '--pin', pin];
    await fails(args, 90, 'KNSOCK_PEER_PIN_MISMATCH');
  });

  it('revoked, or of unknown revocation status', async () => {
    const { authority } = files;
    const crl = await files.write('empty.crl', (await authority.crl()).pem);
    await authority.revoke(await readFile(files.at('server.crt'), 'utf8'));
    const full = await files.write('full.crl', (await authority.crl()).pem);
    await using place = await tlsServer((socket) => socket.end('fine'));
    const args = ['send', `localhost:${place.port}`, 'x', '--framing', 'raw', ...ca, '--crl'];
    expect(await knsock([...args, crl])).toMatchObject({ code: 0, stdout: 'fine' });
    await fails([...args, full], 91, 'KNSOCK_PEER_REVOKED');
  });
});

describe('messages that break the rules', () => {
  it('oversized', async () => {
    const { serve, address } = await startServe([...pair, '--max-message', '1KiB']);
    await using _ = serve;
    const stderr = await fails(['send', address, 'x'.repeat(2_000), ...ca], 63, 'KNSOCK_MESSAGE_TOO_LARGE');
    expect(stderr).toContain('2,000 bytes is over the limit of 1,024');
  });

  it('truncated', async () => {
    await using place = await tlsServer((socket) => socket.end(Buffer.from('\0\0\0\x09half')));
    const args = ['send', `localhost:${place.port}`, 'x', '--framing', 'length-prefixed', ...ca];
    await fails(args, 8, 'KNSOCK_TRUNCATED_MESSAGE');
  });

  it('invalid JSON, ours and theirs', async () => {
    await using place = await tlsServer((socket) => socket.end('{"half":\n'));
    const args = ['send', `localhost:${place.port}`, '--framing', 'lines', '--content', 'json', ...ca];
    await fails([...args, '{oops'], 8, 'KNSOCK_INVALID_JSON');
    await fails([...args, '{"fine":true}'], 8, 'KNSOCK_INVALID_JSON');
  });

  it('of another framing', async () => {
    await using place = await tlsServer(() => undefined);
    await fails(['send', `localhost:${place.port}`, 'x', ...ca], 8, 'KNSOCK_FRAMING_MISMATCH');
  });

  it('of another framing, where the server speaks knsock and can only end', async () => {
    const { serve, address } = await startServe(pair);
    await using _ = serve;
    const args = ['send', address, 'x', '--framing', 'lines', ...ca];
    // Node 24.22 and 26 send session tickets before such an end, and then it may be an intended end.
    const [code, guess] = endsWithTickets
      ? (['KNSOCK_CONNECTION_CLOSED', 'ended the connection after 0 of 1 replies'] as const)
      : (['KNSOCK_CONNECTION_ENDED_EARLY', 'it speaks another framing than lines'] as const);
    const told = await fails(args, 56, code);
    expect(told).toContain(guess);
    expect(told).toMatch(/is --framing the server's\?/i);
  });

  it('that never get an answer', async () => {
    await using place = await tlsServer((socket) => socket.resume());
    const args = ['send', `localhost:${place.port}`, 'x', '--framing', 'lines', ...ca];
    await fails([...args, '--timeout', '200'], 28, 'KNSOCK_RECEIVE_TIMEOUT');
    expect(await knsock([...args, '--wait', '100'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe("what isn't TLS on a TLS port", () => {
  it.each([
    ['HTTP', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'KNSOCK_HANDSHAKE_PLAIN_HTTP'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n', 'KNSOCK_HANDSHAKE_NOT_TLS'],
  ])('%s is reported by the server, which continues', async (_, words, code) => {
    const { serve, address } = await startServe(pair);
    await using __ = serve;
    const socket = connectTcp(Number(address.split(':')[1]), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(words);
    await serve.says(new RegExp(`"event":"failure".*"hint":"\\S.*"code":"${code}"`));
    socket.destroy();
    expect((await knsock(['send', address, 'x', ...ca])).code).toBe(0);
  });
});

describe('an error of our own', () => {
  it('shows its stack with --debug only', async () => {
    const args = ['send', 'no-such-host.invalid:1', 'x'];
    expect((await knsock([...args, '--debug'])).stderr).toMatch(/^\s+at /m);
    expect((await knsock(args)).stderr).not.toMatch(/^\s+at /m);
  });

  it('is data for a program that asks for JSON', async () => {
    const { code, stdout } = await knsock(['send', 'no-such-host.invalid:1', 'x', '--json']);
    expect(code).toBe(6);
    expect(JSON.parse(stdout)).toMatchObject({ event: 'error', code: 'KNSOCK_HOST_NOT_FOUND', exitCode: 6 });
  });
});

interface Place extends AsyncDisposable {
  readonly port: string;
}

async function plainServer(onSocket: (socket: Socket) => void): Promise<Place> {
  return listening(createServer(), 'connection', onSocket);
}

async function tlsServer(
  onSocket: (socket: TLSSocket) => void,
  credentials?: { cert: string; key: string },
): Promise<Place> {
  const cert = credentials?.cert ?? (await readFile(files.at('server.crt'), 'utf8'));
  const key = credentials?.key ?? (await readFile(files.at('server.key'), 'utf8'));
  return listening(createTlsServer({ cert, key }), 'secureConnection', onSocket as (socket: Socket) => void);
}

async function listening(server: Server, event: string, onSocket: (socket: Socket) => void): Promise<Place> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  server.on(event, (socket: Socket) => {
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port: String(port),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An expired certificate for localhost, and its CA, which is valid. */
async function expired(): Promise<{ cert: string; key: string; ca: string }> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 10 * 86_400_000 });
  try {
    const authority = await createAuthority({ commonName: 'Old CA', days: 300 });
    const { chain, key } = await authority.issue({ kind: 'server', names: ['localhost'], days: 7 });
    return { cert: chain, key, ca: authority.root };
  } finally {
    vi.useRealTimers();
  }
}

describe('an empty argument', () => {
  it.each([
    ['certs', 'init', ''],
    ['certs', 'issue', 'localhost', ''],
    ['certs', 'inspect', ''],
    ['check', ''],
    ['explain', ''],
    ['docs', ''],
  ])('is refused by its name: %j', async (...args) => {
    expect(await fails(args, 2, 'KNSOCK_USAGE')).toMatch(/the argument [a-z]+ is empty/);
  });

  it('can be a message', async () => {
    const { serve, address } = await startServe(pair);
    await using _ = serve;
    expect(await knsock(['send', address, '', ...ca])).toMatchObject({ code: 0, stdout: '\n' });
  });
});
