/** Programs that take TLS and pass it on in plain, where the machine has them. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Certificates } from './certificates.js';
import { Child } from './child.js';
import { answers, freePort, listens, type Peer } from './peers.js';
import { LOOPBACK } from './tls-setup.js';

export interface ProxyStart {
  readonly name: string;
  /** Starts it, or says in a few words why not. */
  readonly start: (files: Certificates, target: number) => Promise<Peer | string>;
}

const KNSOCK = fileURLToPath(new URL('../../packages/cli/bin/knsock.cjs', import.meta.url));

export const proxies: readonly ProxyStart[] = [
  {
    name: 'node:tls and pipe',
    start: async (files, target) => {
      const child = Child.node('subject', 'subject/subject', 'node:tls and pipe');
      const { port } = await child.ask<{ port: number }>({ do: 'serveTunnel', files, target });
      return { child, port };
    },
  },
  {
    name: 'knsock proxy',
    start: async (files, target) => {
      const keys = ['--cert', files.serverCertificate, '--key', files.serverKey, '--allow-all', '--quiet'];
      return listening('knsock proxy', (port) => [
        ...[process.execPath, KNSOCK, 'proxy', 'server', '--listen', `${LOOPBACK}:${port}`],
        ...['--target', `${LOOPBACK}:${target}`, ...keys],
      ]);
    },
  },
  {
    name: 'socat',
    start: async (files, target) => {
      if (!(await answers('socat', ['-V']))) return 'no socat';
      const keys = `cert=${files.serverCertificate},key=${files.serverKey},verify=0,openssl-min-proto-version=TLS1.3`;
      return listening('socat', (port) => [
        'socat',
        `OPENSSL-LISTEN:${port},bind=${LOOPBACK},reuseaddr,nodelay,fork,${keys}`,
        `TCP:${LOOPBACK}:${target},nodelay`,
      ]);
    },
  },
  {
    name: 'stunnel',
    start: async (files, target) => {
      if (!(await answers('stunnel', ['-version']))) return 'no stunnel';
      return listening('stunnel', (port) => ['stunnel', stunnelConfiguration(files, port, target)]);
    },
  },
];

function stunnelConfiguration(files: Certificates, port: number, target: number): string {
  const file = path.join(files.folder, `stunnel-${port}.conf`);
  const lines = [
    'foreground = yes',
    'pid =',
    'debug = err',
    'socket = l:TCP_NODELAY=1',
    'socket = r:TCP_NODELAY=1',
    '[tunnel]',
    `accept = ${LOOPBACK}:${port}`,
    `connect = ${LOOPBACK}:${target}`,
    `cert = ${files.serverCertificate}`,
    `key = ${files.serverKey}`,
    'sslVersionMin = TLSv1.3',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

async function listening(name: string, command: (port: number) => string[]): Promise<Peer> {
  const port = await freePort();
  const child = await Child.other(command(port), name);
  await listens(port, name);
  return { child, port };
}
