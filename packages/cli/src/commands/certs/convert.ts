/** `knsock certs convert` */
import { Option, type Command } from 'commander';
import { PUBLIC, readInput, SECRET, writeOutput } from '../../files.js';
import { passphraseOf } from '../../options.js';
import type { Output } from '../../output.js';
import { UsageError } from '../../usage-error.js';

interface ConvertFlags {
  to: 'pem' | 'der' | 'chain' | 'pkcs12';
  key?: string;
  out: string;
  passphraseFile?: string;
  force?: boolean;
}

type Converted = { readonly data: string | Buffer; readonly secret: boolean };

export function defineConvert(command: Command, output: Output): void {
  command
    .description('change the format of certificates')
    .argument('<file>', 'PEM, DER or PKCS#12; - is standard input')
    .addOption(
      new Option(
        '--to <format>',
        'pem, der (the first certificate), chain (PEM in order, without the root), pkcs12',
      )
        .choices(['pem', 'der', 'chain', 'pkcs12'])
        .makeOptionMandatory(),
    )
    .option('--key <file>', 'the private key, for pkcs12')
    .option('--out <file>', 'where to write; - is standard output', '-')
    .option('--passphrase-file <file>', 'of the PKCS#12 file or the key (or set KNSOCK_PASSPHRASE)')
    .option('--force', 'replace a file of that name')
    .addHelpText('after', HELP)
    .action(async (file: string, flags: ConvertFlags) => {
      const passphrase = await passphraseOf(flags.passphraseFile);
      const { data, secret } = await convert(await readInput(file), flags, passphrase ?? '');
      await writeOutput(output, flags.out, data, { mode: secret ? SECRET : PUBLIC, force: flags.force });
      if (flags.out !== '-') await output.result({ file: flags.out, format: flags.to }, flags.out);
    });
}

async function convert(input: Buffer, { to, key }: ConvertFlags, passphrase: string): Promise<Converted> {
  const certs = await import('@knsock/certs');
  if (to === 'pkcs12') {
    if (key === undefined) throw new UsageError('a PKCS#12 file holds a key: give --key FILE');
    const keyPem = (await readInput(key)).toString();
    const { parseCertificates } = await import('@knsock/core/x509');
    const content = {
      chain: parseCertificates(input)
        .map(({ pem }) => pem)
        .join(''),
      key: keyPem,
      ...(keyPem.includes('ENCRYPTED') && { keyPassphrase: passphrase }),
    };
    return { data: await certs.toPkcs12(content, passphrase), secret: true };
  }
  const { parseCertificates } = await import('@knsock/core/x509');
  const text = input.includes('-----BEGIN');
  if (!text && looksLikePkcs12(input)) {
    const parts = await certs.fromPkcs12(input, passphrase);
    if (to === 'pem') return { data: parts.chain + parts.key, secret: true };
    return convert(Buffer.from(parts.chain), { to, out: '-' }, passphrase);
  }
  const certificates = parseCertificates(input);
  const pem = certificates.map((certificate) => certificate.pem).join('');
  if (to === 'der') return { data: Buffer.from(certificates[0]?.der ?? []), secret: false };
  return { data: to === 'chain' ? certs.fullChain(pem, { root: false }) : pem, secret: false };
}

/** A PFX starts as a sequence whose first element is the INTEGER 3 (RFC 7292 §4). */
function looksLikePkcs12(bytes: Buffer): boolean {
  return bytes.subarray(0, 16).includes(Buffer.from([0x02, 0x01, 0x03]));
}

const HELP = `
Examples:
  $ knsock certs convert server.crt --to pkcs12 --key server.key --out server.p12
  $ knsock certs convert server.p12 --to pem --out server.pem
  $ knsock certs convert unordered.pem --to chain > fullchain.pem`;
