/** `knsock certs serve` */
import { Option, type Command } from 'commander';
import { address, append, life, milliseconds, statusOption } from '../../options.js';
import type { Output } from '../../output.js';
import type { AuthorityFlags } from '../../serving/authority.js';
import { addListenerOptions } from '../../serving/limit-options.js';
import { addStoreArgument, signerOption, storeArgument, storePassphraseOption } from './store-options.js';

export function defineServeAuthority(command: Command, output: Output): void {
  addStoreArgument(command.description('serve an authority, where machines enrol and renew (EST)'))
    .addOption(storePassphraseOption())
    .addOption(signerOption())
    .addOption(
      new Option('--listen <address>', 'address to listen on').argParser(address).default(':9443', ':9443'),
    )
    .option(
      '--name <name>',
      'name or address by which machines reach this server; tokens carry the first (repeatable; default: the host of --listen, else the host name)',
      append,
    )
    .option(
      '--crl-listen <address>',
      'serve the revocation list, and nothing else, over plain HTTP on this address',
      address,
    )
    .option(
      '--crl-url <url>',
      'URL of the revocation list, written into certificates (repeatable; default: that of --crl-listen)',
      append,
    )
    .option('--crl-life <time>', 'validity of a revocation list (default: 7d)', life)
    .option(
      '--renew-life <time>',
      'validity of renewed certificates (default: that of the old certificate)',
      life,
    )
    .option('--max-life <time>', 'longest validity of any certificate (default: 90d)', life)
    .option(
      '--expired-grace <time>',
      'time for which an expired certificate can still be renewed, for the same key (default: 0)',
      milliseconds,
    )
    .option(
      '--permit <pattern>',
      'certify only these names, whatever tokens allow: a name, *.example.com, spiffe://example.com/* (repeatable)',
      append,
    )
    .option('--policy <file>', 'decide on each request with the default export of this JavaScript module')
    .option('--policy-url <url>', 'decide on each request by this web service (POST, JSON)');
  addListenerOptions(command);
  command
    .addOption(statusOption())
    .addHelpText('after', HELP)
    .action(async (store: string | undefined, flags: Omit<AuthorityFlags, 'store'>) => {
      const { serveStore } = await import('../../serving/authority.js');
      process.exitCode = await serveStore({ ...flags, store: storeArgument(store) }, output);
    });
}

const HELP = `
Machines enrol with a token (knsock certs token) and renew with their certificate. No private key leaves the machine that created it.
SIGTERM and SIGINT shut down gracefully (a second signal exits at once); SIGHUP replaces the server's own certificate.
A policy module looks like this: export default ({ names, from }) => ({ allow: from === '10.0.0.7', reason: 'elsewhere' });

Examples:
  $ knsock certs serve --name ca.example.internal
  $ knsock certs serve certs --authority issuing --listen :9443 --crl-listen :9480 --store-passphrase-file word
  $ knsock certs serve certs --signer-exec 'openssl dgst -sha256 -sign /run/key/ca.key'
  $ knsock certs serve --permit '*.agents.internal' --max-life 24h`;
