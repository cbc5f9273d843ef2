/** `knsock serve` */
import { Option, type Command } from 'commander';
import {
  addAllowOptions,
  addCredentialOptions,
  addFramingOptions,
  addProfileOptions,
  count,
  milliseconds,
  port,
} from '../options.js';
import type { Output } from '../output.js';
import type { ServeFlags } from '../serving/flags.js';

export function defineServe(command: Command, output: Output): void {
  command
    .option('--host <address>', 'the address to listen on (default: every one of this machine)')
    .option('--port <number>', 'the port to listen on; 0 takes any free one (default: 8443)', port)
    .option('--unix <path>', 'listen on a Unix socket instead');
  command
    .option(
      '--exec <command>',
      'run a shell command for each connection, its input and output the connection’s',
    )
    .option('--handler <file>', 'answer requests by the default export of a JavaScript module');
  addCredentialOptions(command);
  command.option('--dev', 'use a development CA of your own, made once; prints how to connect');
  command.addOption(
    new Option(
      '--client-cert <need>',
      'whether clients show a certificate (default: require with --allow-…, else none)',
    ).choices(['none', 'request', 'require']),
  );
  addAllowOptions(command);
  addFramingOptions(command);
  command.addOption(
    new Option('--content <kind>', 'json: every message must be JSON')
      .choices(['bytes', 'json'])
      .default('bytes'),
  );
  addProfileOptions(command);
  command
    .option('--handshake-timeout <ms>', 'from accept to authorised (default: 5000)', milliseconds)
    .option(
      '--idle-timeout <ms>',
      'end connections on which nothing moves for so long (default: never)',
      milliseconds,
    )
    .option(
      '--drain-timeout <ms>',
      'how long work in flight may take at the end (default: 15000)',
      milliseconds,
    )
    .option('--max-connections <n>', 'the most connections at once (default: 10000)', count)
    .option('--status <address>', 'tell /health, /stats and /metrics there over plain HTTP')
    .addHelpText('after', HELP)
    .action(async (flags: ServeFlags) => {
      const framing =
        flags.exec !== undefined && command.getOptionValueSource('framing') === 'default'
          ? 'raw'
          : flags.framing;
      const { serve } = await import('../serving/serve.js');
      process.exitCode = await serve({ ...flags, framing }, output);
    });
}

const HELP = `
It echoes unless --exec or --handler says otherwise: every message comes back, and every request is answered with its own payload.
SIGTERM or SIGINT lets work in flight finish (a second one ends at once), SIGHUP reloads the files.
A handler file is a module such as: export default ({ payload, peer, signal }) => \`got \${payload}\`;
A client is admitted that any one of the --allow-… flags admits.

Examples:
  $ knsock serve --dev
  $ knsock serve --cert server.crt --key server.key
  $ knsock serve --port 8443 --cert server.crt --key server.key --ca ca.crt --client-cert require
  $ knsock serve --port 0 --json --framing lines --pfx server.p12 --allow-cn app --ca ca.crt`;
