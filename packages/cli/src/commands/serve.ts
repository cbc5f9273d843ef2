/** `knsock serve` */
import { Option, type Command } from 'commander';
import {
  addAllowOptions,
  addContentOption,
  addCredentialOptions,
  addFramingOptions,
  addProfileOptions,
  address,
  append,
  bytes,
  count,
  milliseconds,
  port,
} from '../options.js';
import type { Output } from '../output.js';
import type { ServeFlags } from '../serving/flags.js';

export function defineServe(command: Command, output: Output): void {
  addPlaceOptions(command);
  addAnswerOptions(command);
  addCredentialOptions(command);
  command
    .option('--dev', 'use a development CA of your own, made once; prints how to connect')
    .addOption(
      new Option(
        '--client-cert <need>',
        'whether clients show a certificate (default: require with --ca, --allow-… or --dev, else none)',
      )
        .choices(['none', 'request', 'require'])
        .env('KNSOCK_CLIENT_CERT'),
    );
  addAllowOptions(command);
  addFramingOptions(command);
  addContentOption(command, 'json: every message must be JSON');
  addProfileOptions(command);
  addLimitOptions(command);
  command
    .addOption(
      new Option(
        '--status <address>',
        'tell /health, /stats and /metrics there over plain HTTP; without a host on loopback',
      )
        .argParser(address)
        .env('KNSOCK_STATUS'),
    )
    .addHelpText('after', HELP)
    .action(async (flags: ServeFlags) => {
      const { serve } = await import('../serving/serve.js');
      process.exitCode = await serve(explicit(flags, command), output);
    });
}

/** What was typed wins over what was there before: a stream for --exec, a development CA over the environment's files. */
function explicit(flags: ServeFlags, command: Command): ServeFlags {
  const typed = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  const framing = flags.exec !== undefined && !typed('framing') ? 'raw' : flags.framing;
  if (flags.dev !== true) return { ...flags, framing };
  const clash = ['cert', 'key', 'pfx', 'ca', 'crl'].find(typed);
  if (clash !== undefined)
    command.error(`error: --dev makes certificates of its own and takes no --${clash}`);
  // Its own client certificate is at hand: the development server is as strict as the real one.
  return { ...flags, framing, ca: undefined, clientCert: flags.clientCert ?? 'require' };
}

function addPlaceOptions(command: Command): void {
  command
    .addOption(
      new Option('--host <address>', 'the address to listen on (default: every one of this machine)').env(
        'KNSOCK_LISTEN_HOST',
      ),
    )
    .addOption(
      new Option('--port <number>', 'the port to listen on; 0 takes any free one (default: 8443)')
        .argParser(port)
        .env('KNSOCK_LISTEN_PORT'),
    )
    .addOption(new Option('--unix <path>', 'listen on a Unix socket instead').conflicts(['host', 'port']));
}

function addAnswerOptions(command: Command): void {
  command
    .addOption(
      new Option(
        '--exec <command>',
        'run a shell command for each connection, its input and output the connection’s',
      ).conflicts('handler'),
    )
    .option('--handler <file>', 'answer requests by the default export of a JavaScript module');
}

function addLimitOptions(command: Command): void {
  command
    .option('--handshake-timeout <ms>', 'from accept to authorised (default: 5000)', milliseconds)
    .option(
      '--first-message-timeout <ms>',
      'end connections that send nothing within so long (default: never)',
      milliseconds,
    )
    .option(
      '--idle-timeout <ms>',
      'end connections on which nothing moves for so long (default: never)',
      milliseconds,
    )
    .option(
      '--max-lifetime <ms>',
      'end connections after so long, give or take a tenth (default: never)',
      milliseconds,
    )
    .option(
      '--drain-timeout <ms>',
      'how long work in flight may take at the end (default: 15000)',
      milliseconds,
    )
    .option('--max-connections <n>', 'the most connections at once (default: 10000; with --exec 100)', count)
    .option(
      '--max-connections-per-address <n>',
      'the most connections of one client’s address (default: any number)',
      count,
    )
    .option('--accept-rate <n>', 'the most new connections a second (default: any number)', count)
    .option('--max-queued <bytes>', 'the most bytes waiting for one slow reader (default: 4MiB)', bytes)
    .option('--max-requests <n>', 'the most requests of one client worked on at once (default: 128)', count)
    .option('--allow-from <network>', 'admit clients from this address or network alone (repeatable)', append)
    .option('--deny-from <network>', 'turn away clients from this address or network (repeatable)', append)
    .option(
      '--proxy-protocol-from <network>',
      'take the client’s address from the PROXY header of these proxies (repeatable)',
      append,
    );
}

const HELP = `
It echoes unless --exec or --handler says otherwise: every message comes back, and every request is answered with its own payload.
SIGTERM or SIGINT lets work in flight finish (a second one ends at once), SIGHUP reloads the certificates.
A handler file is a module such as: export default ({ payload, peer, signal }) => \`got \${payload}\`;
A command of --exec finds who is there in KNSOCK_PEER_COMMON_NAME, KNSOCK_PEER_SUBJECT, KNSOCK_PEER_FINGERPRINT, KNSOCK_REMOTE_ADDRESS, KNSOCK_REMOTE_PORT and KNSOCK_TLS_VERSION.
A client is admitted that any one of the --allow-cn, -ou, -dns, -uri and -pin flags admits.

Examples:
  $ knsock serve --dev
  $ knsock serve --cert server.crt --key server.key
  $ knsock serve --port 8443 --cert server.crt --key server.key --ca ca.crt --client-cert require
  $ knsock serve --port 0 --json --framing lines --pfx server.p12 --allow-cn app --ca ca.crt
  $ knsock serve --cert server.crt --key server.key --exec 'tr a-z A-Z' --status :9443`;
