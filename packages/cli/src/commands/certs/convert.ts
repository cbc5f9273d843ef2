/** `knsock certs convert` */
import { Option, type Command } from 'commander';
import type { FileContents, FilePair } from '@knsock/certs';
import { overwriteOption } from './certificate-options.js';
import { naming, PUBLIC, readInput, SECRET, writeOutput } from '../../files.js';
import { passphraseOf, pfxKeyNameOption } from '../../options.js';
import type { Output } from '../../output.js';
import { UsageError } from '../../usage-error.js';

const formats = ['pem', 'der', 'chain', 'pkcs12', 'truststore', 'jwk'] as const;

interface ConvertFlags {
  to: (typeof formats)[number];
  key?: string;
  pfxKeyName?: string;
  out: string;
  passphraseFile?: string;
  force?: boolean;
}

type Converted = { readonly data: string | Buffer; readonly secret: boolean };

export function defineConvert(command: Command, output: Output): void {
  command
    .description('change the format of certificates and keys')
    .argument('<file>', 'certificates, a key, or both, in any format; - is standard input')
    .addOption(
      new Option(
        '--to <format>',
        'pem, der (the first certificate, else the key), chain (PEM in order, without the root), pkcs12, truststore (PKCS#12 for Java), jwk (the key)',
      )
        .choices(formats)
        .makeOptionMandatory(),
    )
    .option('--key <file>', 'private key, if it is in a separate file')
    .addOption(pfxKeyNameOption())
    .option('--out <file>', 'output file; - is standard output', '-')
    .option(
      '--passphrase-file <file>',
      'file with the passphrase of the input and of the PKCS#12 output (or set KNSOCK_PASSPHRASE)',
    )
    .addOption(overwriteOption())
    .addHelpText('after', HELP)
    .action(async (file: string, flags: ConvertFlags) => {
      const passphrase = await passphraseOf(flags.passphraseFile);
      const contents = await read(file, flags, passphrase);
      const { data, secret } = await convert(contents, flags, passphrase ?? '');
      await writeOutput(output, flags.out, data, { mode: secret ? SECRET : PUBLIC, force: flags.force });
      if (flags.out !== '-') await output.result({ file: flags.out, format: flags.to }, flags.out);
    });
}

async function read(
  file: string,
  { key, pfxKeyName: keyName }: ConvertFlags,
  passphrase: string | undefined,
): Promise<FileContents> {
  const { readContents } = await import('@knsock/certs');
  const input = await readInput(file);
  const contents = await naming(file, () => readContents(input, { passphrase, keyName }));
  if (key === undefined) return contents;
  const keyInput = await readInput(key);
  const { key: own } = await naming(key, () => readContents(keyInput, { passphrase }));
  if (own === undefined)
    throw new UsageError(`${key} holds no private key`, 'knsock certs inspect shows what is in it.');
  return { ...contents, key: own, pairs: [] };
}

async function convert(contents: FileContents, { to }: ConvertFlags, passphrase: string): Promise<Converted> {
  const certs = await import('@knsock/certs');
  const { certificates, key, pairs } = contents;
  if (pairs.length > 1 && to !== 'truststore') return { data: everyPair(pairs, to), secret: true };
  switch (to) {
    case 'pem':
      return { data: certificates + (key ?? ''), secret: key !== undefined };
    case 'der':
      if (certificates !== '') return { data: certs.pemToDer(certificates), secret: false };
      return { data: certs.pemToDer(requireKey(key)), secret: true };
    case 'chain':
      return {
        data: certs.fullChain(pairs[0]?.chain ?? requireCertificates(certificates), { root: false }),
        secret: false,
      };
    case 'pkcs12':
      return {
        data: await certs.toPkcs12(
          { chain: requireCertificates(certificates), key: requireKey(key) },
          passphrase,
        ),
        secret: true,
      };
    case 'truststore':
      return {
        data: await certs.toPkcs12({ trust: requireCertificates(certificates) }, passphrase),
        secret: false,
      };
    case 'jwk':
      return { data: `${JSON.stringify(await certs.keyToJwk(requireKey(key)), null, 2)}\n`, secret: true };
  }
}

/** A PEM file holds any number of keys, each with its chain before it; other formats hold one. @throws UsageError */
function everyPair(pairs: readonly FilePair[], to: string): string {
  if (to === 'pem') return pairs.map(({ chain, key }) => chain + key).join('');
  const names = pairs.map(({ name }) => JSON.stringify(name)).join(', ');
  throw new UsageError(
    `the file has ${pairs.length} keys (${names}), and ${to} takes one`,
    'Name one of them: --pfx-key-name NAME. --to pem writes all, each behind its chain.',
  );
}

function requireKey(key: string | undefined): string {
  if (key !== undefined) return key;
  throw new UsageError('there is no private key in that file', 'Give the file that holds it: --key FILE.');
}

function requireCertificates(certificates: string): string {
  if (certificates !== '') return certificates;
  throw new UsageError(
    'there is no certificate in that file',
    "Give the certificate's file, and the key's as --key FILE.",
  );
}

const HELP = `
Examples:
  $ knsock certs convert server.crt --to pkcs12 --key server.key --out server.p12
  $ knsock certs convert server.p12 --to pem --out server.pem
  $ knsock certs convert ca.crt --to truststore --passphrase-file pass --out trust.p12
  $ knsock certs convert id_ed25519 --to pem --out server.key
  $ knsock certs convert unordered.pem --to chain > fullchain.pem`;
