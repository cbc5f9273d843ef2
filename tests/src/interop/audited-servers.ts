/** Servers in good and bad configurations, for `knsock check` and other auditors to look at. */
import { execFileSync } from 'node:child_process';
import { type CertificateFolder } from '../support/certificate-folder.js';
import { startServe } from '../support/command.js';
import { startProgram, type Program } from './program.js';

/** A kind of server: what it needs, and how it starts. */
export interface AuditedServer {
  readonly name: string;
  readonly needs: readonly string[];
  readonly start: (files: CertificateFolder) => Promise<Program>;
}

const EVERYTHING = 'ALL:COMPLEMENTOFALL:@SECLEVEL=0';

function openssl(name: string, args: readonly string[]): AuditedServer {
  return {
    name: `openssl s_server, ${name}`,
    needs: ['openssl'],
    start: (files) =>
      startProgram('openssl', (port) => [
        's_server',
        '-accept',
        `127.0.0.1:${port}`,
        '-quiet',
        '-www',
        ...pair(files),
        ...args,
      ]),
  };
}

const rsa = (files: CertificateFolder): string[] => [
  '-cert',
  files.at('rsa.crt'),
  '-key',
  files.at('rsa.key'),
];
const pair = (files: CertificateFolder): string[] => rsa(files);

function nginx(name: string, settings: string): AuditedServer {
  return {
    name: `nginx, ${name}`,
    needs: ['nginx'],
    start: (files) =>
      startProgram('nginx', async (port) => {
        const file = await files.write(
          `nginx-${port}.conf`,
          `daemon off; pid ${files.at(`nginx-${port}.pid`)}; error_log stderr; worker_processes 1;
events { worker_connections 256; }
http { access_log off; server {
  listen 127.0.0.1:${port} ssl; server_name localhost;
  ssl_certificate ${files.at('rsa.crt')}; ssl_certificate_key ${files.at('rsa.key')};
  ${settings}
} }
`,
        );
        return ['-c', file, '-p', files.path];
      }),
  };
}

function stunnel(name: string, settings: string): AuditedServer {
  return {
    name: `stunnel, ${name}`,
    needs: ['stunnel'],
    start: (files) =>
      startProgram('stunnel', async (port) => {
        const file = await files.write(
          `stunnel-${port}.conf`,
          `foreground = yes\npid =\n[audited]\naccept = 127.0.0.1:${port}\nexec = /bin/cat\nexecArgs = cat\ncert = ${files.at('rsa.crt')}\nkey = ${files.at('rsa.key')}\n${settings}\n`,
        );
        return [file];
      }),
  };
}

const ours: AuditedServer = {
  name: 'knsock serve',
  needs: [],
  start: async (files) => {
    const { serve, address } = await startServe([
      '--cert',
      files.at('server.crt'),
      '--key',
      files.at('server.key'),
    ]);
    return { port: Number(address.split(':')[1]), [Symbol.asyncDispose]: () => serve[Symbol.asyncDispose]() };
  },
};

export const auditedServers: readonly AuditedServer[] = [
  ours,
  openssl('its defaults', []),
  openssl('everything it has', ['-cipher', EVERYTHING, '-min_protocol', 'TLSv1', '-legacy_renegotiation']),
  openssl('TLS 1.3 alone', ['-tls1_3', '-ciphersuites', 'TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256']),
  openssl('its own order', ['-tls1_2', '-serverpref', '-cipher', 'ECDHE+AESGCM:ECDHE+AES:AES128-SHA']),
  nginx('a good configuration', 'ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;'),
  nginx(
    'a bad one',
    'ssl_protocols TLSv1 TLSv1.1 TLSv1.2; ssl_ciphers DEFAULT@SECLEVEL=0; ssl_prefer_server_ciphers off;',
  ),
  stunnel('a good configuration', 'sslVersionMin = TLSv1.2\nciphers = ECDHE+AESGCM:ECDHE+CHACHA20'),
  stunnel(
    'a bad one',
    'sslVersionMin = TLSv1\nsecurityLevel = 0\nciphers = ALL:@SECLEVEL=0\noptions = -NO_SSLv3',
  ),
];

/** An RSA certificate beside those of the folder: most weak suites need one. */
export function addRsa(files: CertificateFolder): void {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const out = ['-keyout', files.at('rsa.key'), '-out', files.at('rsa.crt')];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', ...out, ...subject],
    { stdio: 'ignore' },
  );
}
