/** `knsock serve` */
import { Option, type Command } from 'commander';
import {
  addAllowOptions,
  addContentOption,
  addCredentialOptions,
  addFramingOptions,
  addProfileOptions,
  port,
  statusOption,
  host,
} from '../options.js';
import type { Output } from '../output.js';
import { addAcmeOptions } from '../serving/acme-options.js';
import type { ServeFlags } from '../serving/flags.js';
import { addLimitOptions, addListenerOptions } from '../serving/limit-options.js';

export function defineServe(command: Command, output: Output): void {
  addPlaceOptions(command);
  addAnswerOptions(command);
  addCredentialOptions(command);
  addAcmeOptions(command);
  command
    .option('--dev', 'use a development CA, created once per user; prints how to connect')
    .addOption(
      new Option(
        '--client-cert <need>',
        'client certificates (default: require with --ca, --allow-… or --dev, else none)',
      )
        .choices(['none', 'request', 'require'])
        .env('KNSOCK_CLIENT_CERT'),
    );
  addAllowOptions(command);
  addFramingOptions(command);
  addContentOption(command, 'json: every message must be valid JSON');
  addProfileOptions(command);
  addListenerOptions(command, '10000; with --exec 100');
  addLimitOptions(command);
  command
    .addOption(statusOption())
    .addHelpText('after', HELP)
    .action(async (flags: ServeFlags) => {
      const { serve } = await import('../serving/serve.js');
      process.exitCode = await serve(explicit(flags, command), output);
    });
}

/** Explicit flags override defaults and the environment: raw framing for --exec, --dev over the environment's files. */
function explicit(flags: ServeFlags, command: Command): ServeFlags {
  const typed = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  const framing = flags.exec !== undefined && !typed('framing') ? 'raw' : flags.framing;
  if (flags.dev !== true) return { ...flags, framing };
  const clash = ['cert', 'key', 'pfx', 'pfxKeyName', 'ca', 'crl'].find(typed);
  if (clash !== undefined)
    command.error(`error: --dev creates its own certificates and can't be combined with --${kebab(clash)}`);
  // A client certificate is made too: the development server is as strict as a real one.
  return { ...flags, framing, ca: undefined, clientCert: flags.clientCert ?? 'require' };
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function addPlaceOptions(command: Command): void {
  command
    .addOption(
      new Option('--host <address>', 'address to listen on (default: all addresses of this machine)')
        .argParser(host)
        .env('KNSOCK_LISTEN_HOST'),
    )
    .addOption(
      new Option('--port <number>', 'port to listen on; 0 picks a free one (default: 8443)')
        .argParser(port)
        .env('KNSOCK_LISTEN_PORT'),
    )
    .addOption(new Option('--unix <path>', 'listen on this Unix socket instead').conflicts(['host', 'port']));
}

function addAnswerOptions(command: Command): void {
  command
    .addOption(
      new Option(
        '--exec <command>',
        'run a shell command for each connection; its stdin and stdout are the connection',
      ).conflicts('handler'),
    )
    .option('--handler <file>', 'answer requests with the default export of this JavaScript module');
}

const HELP = `
Without --exec or --handler it echoes: every message is sent back, and every request is answered with its own payload.
SIGTERM and SIGINT shut down gracefully (a second signal exits at once); changed files of certificates, keys, CAs and lists
are loaded automatically, and at once on SIGHUP.
A handler module looks like this: export default ({ payload, peer, signal }) => \`got \${payload}\`;
A command of --exec exchanges raw bytes with the client (knsock send --framing raw). It receives the peer's identity in KNSOCK_PEER_COMMON_NAME, KNSOCK_PEER_SUBJECT, KNSOCK_PEER_FINGERPRINT, KNSOCK_REMOTE_ADDRESS, KNSOCK_REMOTE_PORT and KNSOCK_TLS_VERSION.
With --acme it answers the CA on its own port (tls-alpn-01), which port 443 of the names must lead to, also where client certificates are required.
A client is admitted if at least one of the --allow-cn, -ou, -dns, -uri and -pin flags matches.

Examples:
  $ knsock serve --dev
  $ knsock serve --cert server.crt --key server.key
  $ knsock serve --port 8443 --cert server.crt --key server.key --ca ca.crt --client-cert require
  $ knsock serve --port 443 --acme db.example.com --acme-dir acme --acme-staging --acme-agree --ca clients.crt
  $ knsock serve --port 0 --json --framing lines --pfx server.p12 --allow-cn app --ca ca.crt
  $ knsock serve --cert server.crt --key server.key --exec 'tr a-z A-Z' --status :9443`;
