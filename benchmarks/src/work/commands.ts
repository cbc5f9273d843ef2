/** What a program pays that runs for one task alone: a certificate, a start, one message, one blocking call. */
import { fileURLToPath } from 'node:url';
import { compete, isAsked, type Bench, type Contestant, type Work } from '../bench.js';
import { SERVER_NAME } from '../certificates.js';
import { Child } from '../child.js';
import type { Row, RowHead } from '../row.js';

const KNSOCK = fileURLToPath(new URL('../../packages/cli/bin/knsock.cjs', import.meta.url));
/** Children's time is counted to a hundredth of a second, so their rounds must be long. */
const ROUND_MS = 1_500;

interface Job {
  readonly name: string;
  readonly request: { readonly do: string } & Readonly<Record<string, unknown>>;
  readonly least?: number;
}

export const certs: Work = {
  name: 'certs',
  async run(bench) {
    const { folder } = bench.files;
    return race(bench, { work: 'a P-256 key and its certificate', unit: 'µs each', clock: 'wall' }, [
      { name: 'the openssl command', request: { do: 'command', folder, command: opensslCommand(bench) } },
      { name: '@knsock/certs', request: { do: 'issue' }, least: 5 },
    ]);
  },
};

/** A key and a certificate by one run. */
function opensslCommand({ files }: Bench): string[] {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'leaf.key'];
  const issuer = ['-x509', '-CA', files.ca, '-CAkey', files.caKey, '-days', '90'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  return ['openssl', 'req', ...issuer, ...key, ...names, '-out', 'leaf.crt'];
}

export const start: Work = {
  name: 'start',
  async run(bench) {
    const server = Child.node('load', 'subject/subject', 'the server');
    const serving = { do: 'serveOurs', files: bench.files, framing: 'knsock', behaviour: 'serve' };
    const { port } = await server.ask<{ port: number }>(serving);
    const node = (...args: string[]) => ({ do: 'command', command: [process.execPath, ...args] });
    const importing = (name: string) =>
      node('--input-type=module', '-e', `await import('${import.meta.resolve(name)}')`);
    const send = [KNSOCK, 'send', `${SERVER_NAME}:${port}`, 'hello', '--ca', bench.files.ca];
    const rows = await race(bench, { work: 'a process from start to end', unit: 'µs CPU each' }, [
      { name: 'node -e 0', request: node('-e', '0') },
      { name: 'knsock --version', request: node(KNSOCK, '--version'), least: 1 / 1.2 },
      { name: 'knsock send, one message answered', request: node(...send), least: 1 / 1.5 },
      { name: 'import @knsock/core', request: importing('@knsock/core') },
      { name: 'import @knsock/certs', request: importing('@knsock/certs') },
    ]);
    await server.end();
    return rows;
  },
};

export const blocking: Work = {
  name: 'blocking',
  async run(bench) {
    const { files } = bench;
    const server = Child.node('load', 'subject/subject', 'the server');
    const { port } = await server.ask<{ port: number }>({ do: 'serveBare', files, behaviour: 'echo' });
    const message = (way: string) => ({ do: 'message', way, files, port });
    const rows = await race(bench, { work: 'a message and its reply', unit: 'µs CPU each' }, [
      { name: 'asynchronous', request: message('asynchronous') },
      { name: 'blocking', request: message('blocking'), least: 1 / 1.1 },
      { name: 'blocking, connection kept', request: message('blocking, connection kept'), least: 4 },
    ]);
    await server.end();
    return rows;
  },
};

async function race(bench: Bench, head: Omit<RowHead, 'contestant'>, jobs: readonly Job[]): Promise<Row[]> {
  if (!isAsked(bench, head.work)) return [];
  const children = jobs.map(({ name }) => Child.node('subject', 'subject/packages', name));
  const contestants = jobs.map(({ name, request, least }, index): Contestant => {
    const child = children[index]!;
    const runs = request.do === 'command' && !bench.quick;
    return {
      name,
      pid: child.pid,
      least,
      run: (ms) => child.ask({ ...request, ms: runs ? Math.max(ms, ROUND_MS) : ms }),
    };
  });
  const rows = await compete(bench, head, contestants);
  for (const child of children) await child.end();
  return rows;
}
