/** `knsock certs expiry` */
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Expiry, LiveSource } from '@knsock/certs';
import { printable } from '@knsock/core/errors';
import { spanInWords } from '@knsock/core/options';
import { exitCodeOf, FOUND } from '../../exit-codes.js';
import { passphraseFileOption, passphraseOf, countOrNone } from '../../options.js';
import type { Output } from '../../output.js';
import { UsageError } from '../../usage-error.js';
import { sourceOf } from './inspect.js';

interface ExpiryFlags {
  days: number;
  passphraseFile?: string;
  prometheus?: boolean;
}

export function defineExpiry(command: Command, output: Output): void {
  command
    .description('show when certificates and revocation lists expire')
    .argument('<source...>', 'files, directories (recursive), or host:port of servers')
    .option('--days <n>', 'days before expiry to warn', countOrNone, 30)
    .addOption(passphraseFileOption())
    .option('--prometheus', 'print metrics in the Prometheus text format')
    .addHelpText('after', HELP)
    .action(async (sources: string[], flags: ExpiryFlags) => {
      process.exitCode = await expiry(sources, flags, output);
    });
}

/** A file that wasn't looked at; what is in it may have expired. */
const unreadCodes = new Set<string>(['KNSOCK_CERTIFICATE_NOT_FOUND', 'KNSOCK_CERTIFICATE_UNREADABLE']);

async function expiry(
  sources: string[],
  { days, prometheus, passphraseFile }: ExpiryFlags,
  output: Output,
): Promise<number> {
  if (prometheus === true && output.manner.json)
    throw new UsageError('--prometheus and --json are two formats of one output', 'Leave one of them out.');
  const { checkExpiry, prometheusText } = await import('@knsock/certs');
  const passphrase = await passphraseOf(passphraseFile);
  const at = new Date();
  const results = await checkExpiry({ ...(await sorted(sources)), days, passphrase, at });
  if (prometheus === true) await output.data(prometheusText(results));
  else for (const result of results) await output.result(plain(result), line(result, at));
  if (results.length === 0) throw nothingFound(sources);
  const unread = results.find((result) => result.type === 'unreadable' && unreadCodes.has(result.error.code));
  if (unread?.type === 'unreadable') return exitCodeOf(unread.error);
  return results.every(({ state }) => state === 'good') ? 0 : FOUND;
}

async function sorted(
  sources: string[],
): Promise<{ files: string[]; folders: string[]; endpoints: LiveSource[] }> {
  const all = { files: [] as string[], folders: [] as string[], endpoints: [] as LiveSource[] };
  for (const source of sources) {
    const info = await stat(source).catch(() => undefined);
    if (info?.isDirectory() === true) all.folders.push(source);
    else if (info !== undefined || !/:\d+$/.test(source)) all.files.push(source);
    else all.endpoints.push((await sourceOf(source)) as LiveSource);
  }
  return all;
}

/** Success would say that what was meant to be watched is good. */
function nothingFound(sources: readonly string[]): UsageError {
  const hint =
    'Files of a folder are selected by their endings: .crt, .pem, .cer, .der, .p7b, .p7c, .p12, .pfx, .jks, .keystore and .crl. Name others one by one.';
  return new UsageError(`${sources.join(', ')}: no certificate or revocation list found`, hint);
}

function line(result: Expiry, at: Date): string {
  const { state } = result;
  const source = printable(result.source);
  switch (result.type) {
    case 'certificate':
      return `${state.padEnd(13)} ${certificateTime(result, at).padEnd(14)}  ${source}  ${result.subject}`;
    case 'crl':
      return `${state.padEnd(13)} ${listTime(result)}  ${source}  list of ${result.issuer}`;
    case 'unreadable':
      return `${state.padEnd(13)} ${source}  ${result.error.message}`;
  }
}

/** `89 days`, `1 hour ago`: how far the end is away. */
function certificateTime(
  { state, notBefore, notAfter }: Extract<Expiry, { type: 'certificate' }>,
  at: Date,
): string {
  if (state === 'not-yet-valid') return `from ${notBefore.toISOString()}`;
  const span = spanInWords(Math.abs(notAfter.getTime() - at.getTime()));
  return state === 'expired' ? `${span} ago` : span;
}

function listTime({ state, thisUpdate, nextUpdate }: Extract<Expiry, { type: 'crl' }>): string {
  if (state === 'not-yet-valid') return `from ${thisUpdate.toISOString()}`;
  return `until ${nextUpdate?.toISOString() ?? 'no date'}`;
}

function plain(result: Expiry): object {
  if (result.type !== 'unreadable') return result;
  const { error, ...rest } = result;
  return { ...rest, error: error.message, code: error.code };
}

const HELP = `
Exit code: 3 if anything is expired, about to expire, not yet valid, stale or damaged; 26 if a file can't be read.

Examples:
  $ knsock certs expiry certs example.com:443
  $ knsock certs expiry /etc/ssl/private --prometheus > /var/lib/node_exporter/certs.prom`;
