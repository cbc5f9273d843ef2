import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  connect,
  lines,
  listen,
  loadCredentials,
  raw,
  type Credentials,
  type SecureConnection,
  type TlsProfileOptions,
} from '@knsock/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { versions, type Version } from '../support/raw-tls.js';
import { portOf } from '../support/world.js';
import { needsTools } from './tools.js';

/** A program that speaks TLS and knows nothing of us. */
interface Program {
  readonly name: string;
  readonly tool: string;
  /** Connects, sends standard input, prints what comes. */
  readonly client: (port: number) => string[];
  /** Answers each line, reversed where it can do nothing else. */
  readonly server: (port: number) => string[];
  readonly reverses?: true;
}

const python = fileURLToPath(new URL('tls_peer.py', import.meta.url));
let files: CertificateFolder;
beforeAll(async () => {
  files = await createCertificateFolder();
});
afterAll(() => files[Symbol.asyncDispose]());

const at = (name: string): string => files.at(name);
const programs: Program[] = [
  {
    name: 'openssl',
    tool: 'openssl',
    client: (port) =>
      `s_client -quiet -verify_return_error -verify_hostname localhost -CAfile ${at('ca.crt')} -cert ${at('client.crt')} -key ${at('client.key')} -connect localhost:${port} -servername localhost`.split(
        ' ',
      ),
    server: (port) =>
      `s_server -rev -Verify 2 -verify_return_error -CAfile ${at('ca.crt')} -cert ${at('server.crt')} -key ${at('server.key')} -accept 127.0.0.1:${port}`.split(
        ' ',
      ),
    reverses: true,
  },
  {
    name: 'Python',
    tool: 'python3',
    client: (port) => [python, 'client', String(port), at('ca.crt'), at('client.crt'), at('client.key')],
    server: (port) => [python, 'server', String(port), at('ca.crt'), at('server.crt'), at('server.key')],
  },
  {
    name: 'ncat',
    tool: 'ncat',
    client: (port) =>
      `--ssl-verify --ssl-trustfile ${at('ca.crt')} --ssl-cert ${at('client.crt')} --ssl-key ${at('client.key')} localhost ${port}`.split(
        ' ',
      ),
    server: (port) =>
      `--ssl --ssl-cert ${at('server.crt')} --ssl-key ${at('server.key')} --listen 127.0.0.1 ${port} --keep-open --exec /bin/cat`.split(
        ' ',
      ),
  },
  {
    name: 'socat',
    tool: 'socat',
    client: (port) => [
      '-',
      `OPENSSL:localhost:${port},cafile=${at('ca.crt')},cert=${at('client.crt')},key=${at('client.key')}`,
    ],
    server: (port) => [
      `OPENSSL-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr,cafile=${at('ca.crt')},cert=${at('server.crt')},key=${at('server.key')},verify=1`,
      'EXEC:cat',
    ],
  },
];
const framings = [
  ['raw', raw()],
  ['lines', lines()],
] as const;

const cases = programs.flatMap((program) =>
  versions.flatMap((version) => framings.map(([name, framing]) => ({ program, version, framing, name }))),
);

describe("a client that isn't ours", () => {
  it.for(cases)(
    'is answered: $program.name, $version, $name',
    async ({ program, version, framing }, context) => {
      needsTools(context, program.tool);
      const connections: SecureConnection[] = [];
      await using server = await listen(
        {
          port: 0,
          host: '127.0.0.1',
          credentials: await credentialsOf('server'),
          clientCertificates: 'require',
          framing,
          profile: only(version),
        },
        (connection) => {
          connections.push(connection);
          connection.onMessage((message) => void connection.write(message));
        },
      );
      await using client = new Process(program.tool, program.client(portOf(server)));
      client.child.stdin.write('hello\n');
      await vi.waitFor(() => expect(client.output).toBe('hello\n'), { timeout: 10_000 });
      expect(connections[0]?.tls.version).toBe(version);
      expect(connections[0]?.peer?.commonNames).toEqual(['app']);
    },
  );
});

describe("a server that isn't ours", () => {
  it.for(cases)(
    'answers: $program.name, $version, $name',
    async ({ program, version, framing, name }, context) => {
      needsTools(context, program.tool);
      const port = await freePort();
      await using server = new Process(program.tool, program.server(port));
      await listening(port, server);
      await using client = await connect({
        host: 'localhost',
        port,
        credentials: await credentialsOf('client'),
        framing,
        profile: only(version),
      });
      await client.send(name === 'raw' ? 'hello\n' : 'hello');
      let answer = '';
      while (!/hello|olleh/.test(answer)) answer += String(await client.receive({ timeout: 10_000 }));
      expect(answer.trim()).toBe(program.reverses ? 'olleh' : 'hello');
      expect(client.tls.version).toBe(version);
    },
  );
});

const credentialsOf = (side: 'server' | 'client'): Promise<Credentials> =>
  loadCredentials({ certFile: at(`${side}.crt`), keyFile: at(`${side}.key`), caFile: at('ca.crt') });

const only = (version: Version): TlsProfileOptions => ({ minVersion: version, maxVersion: version });

/** A program that is ended when the test is over. */
class Process implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  output = '';
  errors = '';
  readonly #ended: Promise<unknown>;

  constructor(program: string, args: readonly string[]) {
    this.child = spawn(program, args);
    this.#ended = once(this.child, 'close');
    this.child.stdin.on('error', () => undefined);
    this.child.stdout.on('data', (bytes: Buffer) => (this.output += bytes.toString()));
    this.child.stderr.on('data', (bytes: Buffer) => (this.errors += bytes.toString()));
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) this.child.kill('SIGKILL');
    await this.#ended;
  }
}

/** One that was free a moment ago, for programs that can't choose their own. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves once a program accepts connections there. */
async function listening(port: number, process: Process): Promise<void> {
  await vi.waitFor(
    async () => {
      if (!process.running) throw new Error(`it ended: ${process.errors}`);
      const socket = connectTcp(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
    },
    { timeout: 10_000 },
  );
}
