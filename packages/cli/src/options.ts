/** The options that several commands share: their flags, and how they are parsed. */
import { isIP } from 'node:net';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { AuthorizeRule, AuthorizeRules, CredentialFiles, TlsProfileOptions } from '@knsock/core';
import { decodeText, LONGEST_WAIT, readWhole } from '@knsock/core/options';
import { parseAddress } from './address.js';
import { repeatable } from './given-once.js';
import { listFiles } from './revocation-lists.js';
import { unreadable } from './unreadable.js';

const framingNames = ['knsock', 'raw', 'lines', 'length-prefixed'] as const;
export type FramingName = (typeof framingNames)[number];

/** Files with our certificate and key, and the trusted CAs. */
export interface CredentialFlags {
  cert?: string | undefined;
  key?: string | undefined;
  ca?: string[] | undefined;
  crl?: string[] | undefined;
  pfx?: string | undefined;
  pfxKeyName?: string | undefined;
  passphraseFile?: string | undefined;
}

export interface FramingFlags {
  framing: FramingName;
  maxMessage?: number;
}

export interface ContentFlags {
  content: 'bytes' | 'json';
}

export interface ProfileFlags {
  minTls?: '1.2' | '1.3';
  maxTls?: '1.2' | '1.3';
}

/** Which clients are admitted: one that matches any of the rules. */
export interface AllowFlags {
  allowCn?: string[];
  allowOu?: string[];
  allowDns?: string[];
  allowUri?: string[];
  allowPin?: string[];
}

export function addCredentialOptions(command: Command): void {
  command
    .addOption(new Option('--cert <file>', 'own certificate and its intermediates (PEM)').env('KNSOCK_CERT'))
    .addOption(new Option('--key <file>', 'private key of the certificate (PEM)').env('KNSOCK_KEY'))
    .addOption(caOption('CA certificate used to verify the peer (PEM or DER; repeatable)').env('KNSOCK_CA'))
    .addOption(
      crlOption(
        'certificate revocation list of the CA (PEM or DER; repeatable); one at an http(s) URL is kept up to date',
      ).env('KNSOCK_CRL'),
    )
    .addOption(
      new Option('--pfx <file>', 'certificate and key as PKCS#12, instead of --cert and --key').env(
        'KNSOCK_PFX',
      ),
    )
    .addOption(pfxKeyNameOption().env('KNSOCK_PFX_KEY_NAME'))
    .option('--passphrase-file <file>', 'file with the passphrase of the key (or set KNSOCK_PASSPHRASE)')
    .hook('preAction', preferTyped);
}

/** Files of the CAs that peers are verified with, on every command that takes them. */
export function caOption(summary: string, name = '--ca'): Option {
  return new Option(`${name} <file>`, summary).argParser(append);
}

/** Revocation lists, on every command that takes them. */
export function crlOption(summary: string): Option {
  return new Option('--crl <file or url>', summary).argParser(append);
}

/** What opens the files that a command reads. */
export function passphraseFileOption(): Option {
  return new Option(
    '--passphrase-file <file>',
    'file with the passphrase of PKCS#12 files and encrypted keys (or set KNSOCK_PASSPHRASE)',
  );
}

/** The key to use in a PKCS#12 file. */
export function pfxKeyNameOption(): Option {
  return new Option(
    '--pfx-key-name <name>',
    "key of a PKCS#12 file with several, by its friendly name (Java's alias)",
  );
}

/**
 * --pfx and --cert exclude one another, and where clients are asked for no certificate --ca has no use; a flag takes precedence
 * over the other one from the environment.
 */
function preferTyped(command: Command): void {
  const from = (source: string, ...names: string[]): boolean =>
    names.some((name) => command.getOptionValueSource(name) === source);
  if (from('cli', 'pfx')) forget(command, 'cert', 'key');
  else if (from('cli', 'cert', 'key')) forget(command, 'pfx', 'pfxKeyName');
  if (command.getOptionValue('clientCert') === 'none') forget(command, 'ca');
}

function forget(command: Command, ...names: string[]): void {
  for (const name of names) {
    if (command.getOptionValueSource(name) === 'env') command.setOptionValue(name, undefined);
  }
}

export function addFramingOptions(command: Command): void {
  command
    .addOption(
      new Option('--framing <name>', 'framing of messages')
        .choices(framingNames)
        .default('knsock')
        .env('KNSOCK_FRAMING'),
    )
    .option('--max-message <bytes>', 'largest message accepted (default: 1MiB)', bytes);
}

/** How a server is verified. */
export function addServerOptions(command: Command): Command {
  return command
    .option(
      '--servername <name>',
      'name to request (SNI) and to expect in the certificate (default: the host)',
    )
    .option(
      '--pin <pin>',
      "public key that the server's chain must contain, sha256/… (repeatable)",
      appendPin,
    );
}

/** The address of the status page. */
export function statusOption(): Option {
  return new Option(
    '--status <address>',
    'serve /health, /stats and /metrics over plain HTTP; without a host, on loopback',
  )
    .argParser(address)
    .env('KNSOCK_STATUS');
}

/** @param summary the meaning of JSON for that command */
export function addContentOption(command: Command, summary: string): void {
  command.addOption(new Option('--content <kind>', summary).choices(['bytes', 'json']).default('bytes'));
}

export function addProfileOptions(command: Command): void {
  command
    .addOption(
      new Option('--min-tls <version>', 'lowest TLS version (default: 1.2)')
        .choices(['1.2', '1.3'])
        .env('KNSOCK_MIN_TLS'),
    )
    .addOption(
      new Option('--max-tls <version>', 'highest TLS version (default: 1.3)')
        .choices(['1.2', '1.3'])
        .env('KNSOCK_MAX_TLS'),
    );
}

export function addAllowOptions(command: Command): void {
  command
    .option(
      '--allow-cn <name>',
      'admit clients with this common name (repeatable; one matching --allow-… is enough)',
      append,
    )
    .option('--allow-ou <name>', 'admit clients with this organisational unit (repeatable)', append)
    .option('--allow-dns <name>', 'admit clients with this DNS name (repeatable)', append)
    .option('--allow-uri <uri>', 'admit clients with this URI, such as a SPIFFE ID (repeatable)', append)
    .option('--allow-pin <pin>', 'admit clients with this key, sha256/… (repeatable)', appendPin);
}

/** The files of the credentials, with the passphrase read from its source. */
export async function credentialFiles(flags: CredentialFlags): Promise<CredentialFiles> {
  const passphrase = await passphraseOf(flags.passphraseFile);
  return {
    certFile: flags.cert,
    keyFile: flags.key,
    caFile: flags.ca,
    crlFile: listFiles(flags.crl),
    pfxFile: flags.pfx,
    pfxKeyName: flags.pfxKeyName,
    passphrase,
  };
}

export function profileOf({ minTls, maxTls }: ProfileFlags): TlsProfileOptions {
  return {
    minVersion: minTls === undefined ? undefined : `TLSv${minTls}`,
    maxVersion: maxTls === undefined ? undefined : `TLSv${maxTls}`,
  };
}

/** The rules of the `--allow-…` flags: one alternative per flag, of which any admits; undefined without flags. */
export function allowRules(flags: AllowFlags): AuthorizeRules | undefined {
  const rules: AuthorizeRule[] = [];
  if (flags.allowCn !== undefined) rules.push({ commonNames: flags.allowCn });
  if (flags.allowOu !== undefined) rules.push({ organizationalUnits: flags.allowOu });
  if (flags.allowDns !== undefined) rules.push({ dnsNames: flags.allowDns });
  if (flags.allowUri !== undefined) rules.push({ uris: flags.allowUri });
  if (flags.allowPin !== undefined) rules.push({ spkiPins: flags.allowPin });
  return rules.length === 0 ? undefined : { any: rules };
}

/** Collects the values of a repeatable flag. */
export const append = repeatable((value: string, earlier: string[] = []): string[] => [...earlier, value]);

const PIN = /^sha256\/[A-Za-z0-9+/]{43}=$/;

/** Collects pins. */
export const appendPin = repeatable((value: string, earlier: string[] = []): string[] => {
  if (!PIN.test(value)) throw new InvalidArgumentError('It is sha256/ and 44 characters of base64.');
  return [...earlier, value];
});

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A time to wait, from 1 ms to the longest that timers know. */
export function milliseconds(text: string): number {
  const ms = span(text);
  if (ms > LONGEST_WAIT) throw new InvalidArgumentError('It is a time of 24 days or less.');
  return ms;
}

/** A number of milliseconds, or with a unit: `1500`, `250ms`, `30s`, `5m`, `12h`, `7d`. */
export function span(text: string): number {
  const [, number = '', unit = 'ms'] = /^0*([1-9]\d{0,9})(ms|s|m|h|d)?$/.exec(text) ?? [];
  if (number === '')
    throw new InvalidArgumentError('It is a time such as 1500 (milliseconds), 30s, 5m, 12h or 7d.');
  return Number(number) * units[unit as keyof typeof units];
}

/** The validity of a certificate in days, from a time with a unit: `90m`, `24h`, `7d`. */
export function life(text: string): number {
  if (!/^[1-9]\d*[mhd]$/.test(text)) throw new InvalidArgumentError('It is a time such as 90m, 24h or 7d.');
  return span(text) / units.d;
}

/** A number of bytes, or with a unit as GNU's programs read it: `64KiB` and `64K` are 65,536 bytes, `64kB` is 64,000. */
export function bytes(text: string): number {
  const [, number = '', prefix = '', unit] = /^0*([1-9]\d{0,12})(?:([KkMG])(iB|B)?)?$/.exec(text) ?? [];
  if (number === '') throw new InvalidArgumentError('It is a size such as 65536 (bytes), 64KiB or 8MiB.');
  return Number(number) * (unit === 'B' ? 1_000 : 1_024) ** ['', 'K', 'M', 'G'].indexOf(prefix.toUpperCase());
}

/** A whole number of 1 or more. */
export function count(text: string): number {
  if (Number(text) === 0) throw new InvalidArgumentError('It is a whole number of 1 or more.');
  return countOrNone(text);
}

/** A whole number that isn't negative. */
export function countOrNone(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It is a whole number.');
  return Number(text);
}

/** A port; 0 asks for any free one. */
export function port(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= 65_535)) throw new InvalidArgumentError('It is a number from 0 to 65535.');
  return number;
}

/** A name or an address of this machine; `localhost:8443` has a port, which is an option of its own. */
export function host(text: string): string {
  const isName = /^[^\s/:]+$/.test(text);
  if (!isName && isIP(text) === 0)
    throw new InvalidArgumentError('It is a name or an IP address, without a port.');
  return text;
}

/** An address, as it was written. @throws UsageError */
export function address(text: string): string {
  parseAddress(text);
  return text;
}

/** Collects addresses, as they were written. */
export const appendAddress = repeatable((value: string, earlier: string[] = []): string[] => [
  ...earlier,
  address(value),
]);

/** The passphrase in that file, or in KNSOCK_PASSPHRASE; undefined if there is neither. */
export async function passphraseOf(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return process.env['KNSOCK_PASSPHRASE'];
  try {
    return decodeText(await readWhole(file)).replace(/\r?\n$/, '');
  } catch (error) {
    throw unreadable(file, error);
  }
}
