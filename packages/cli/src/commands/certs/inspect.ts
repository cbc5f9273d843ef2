/** `knsock certs inspect` */
import { access } from 'node:fs/promises';
import type { Command } from 'commander';
import type { LiveSource, Source } from '@knsock/certs';
import { parseAddress } from '../../address.js';
import { eachFile } from '../../each-file.js';
import { readInput } from '../../files.js';
import { passphraseFileOption, passphraseOf, pfxKeyNameOption } from '../../options.js';
import type { Output } from '../../output.js';
import { noSource } from '../../unreadable.js';
import { UsageError } from '../../usage-error.js';

/** Exit code if a part of a file can't be read, the same as for all of it. */
const UNREADABLE = 58;

interface InspectFlags {
  servername?: string;
  passphraseFile?: string;
  pfxKeyName?: string;
}

export function defineInspect(command: Command, output: Output): void {
  command
    .description('show the content of certificates, requests, keys and revocation lists')
    .argument('<source...>', 'files, host:port of a server, or - for standard input')
    .option('--servername <name>', 'name to request from a server (SNI) (default: its host)')
    .addOption(passphraseFileOption())
    .addOption(pfxKeyNameOption())
    .addHelpText('after', HELP)
    .action(async (sources: string[], flags: InspectFlags) => {
      await eachFile(sources, { output, command: 'knsock certs inspect' }, (source) =>
        show(source, sources.length > 1, flags, output),
      );
    });
}

async function show(
  source: string,
  isOneOfSeveral: boolean,
  flags: InspectFlags,
  output: Output,
): Promise<void> {
  const { inspect, summarize } = await import('@knsock/certs');
  const passphrase = await passphraseOf(flags.passphraseFile);
  const inspection = await inspect(await sourceOf(source, flags.servername), {
    passphrase,
    keyName: flags.pfxKeyName,
  });
  const heading = isOneOfSeveral ? `==> ${source} <==\n` : '';
  await output.result(inspection, heading + summarize(inspection));
  if (inspection.items.some(({ type }) => type === 'unreadable')) process.exitCode = UNREADABLE;
}

/** A file if there is one of that name, else an address. @throws UsageError if it is neither */
export async function sourceOf(text: string, servername?: string): Promise<Source | LiveSource> {
  if (text === '-') return readInput(text);
  if (await isThere(text)) return { file: text };
  if (!/:\d+$/.test(text)) {
    throw noSource(text);
  }
  const address = parseAddress(text);
  if ('path' in address) throw new UsageError("a Unix socket can't be looked at here", 'Give host:port.');
  return { host: address.host ?? 'localhost', port: address.port, servername };
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

const HELP = `
Nothing is verified. Of private keys only the public key is shown.

Examples:
  $ knsock certs inspect server.crt ca.crl
  $ knsock certs inspect example.com:443
  $ knsock certs inspect --json - < bundle.pem`;
