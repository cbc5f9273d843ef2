/** `knsock certs self-signed` */
import type { Command } from 'commander';
import type { CertificateKind, KeyType } from '@knsock/certs';
import { PUBLIC, refuseExisting, SECRET, writeOutput } from '../../files.js';
import { append, count } from '../../options.js';
import type { Output } from '../../output.js';
import { kindOption } from './issue.js';
import { keyTypeOption } from './store-options.js';

interface SelfSignedFlags {
  kind: CertificateKind;
  commonName?: string;
  ou?: string[];
  days?: number;
  maxDays?: number;
  keyType?: KeyType;
  out?: string;
  force?: boolean;
}

export function defineSelfSigned(command: Command, output: Output): void {
  command
    .description('make a certificate that signs itself, with a new key, for tests and closed pairs')
    .argument('[name...]', 'DNS names, IP addresses, URIs (with ://), e-mail addresses (with @)')
    .addOption(kindOption())
    .option('--common-name <name>', 'the subject’s common name (default: the first name)')
    .option('--ou <name>', 'the subject’s organisational unit (repeatable)', append)
    .option('--days <n>', 'how long it is valid (default: 90)', count)
    .option('--max-days <n>', 'the most days allowed (default: 398)', count)
    .addOption(keyTypeOption())
    .option('--out <path>', 'where to write: PATH.crt and PATH.key (default: the kind)')
    .option('--force', 'replace files of that name')
    .addHelpText('after', HELP)
    .action(async (names: string[], flags: SelfSignedFlags) => {
      await makeSelfSigned(names, flags, output);
    });
}

async function makeSelfSigned(names: string[], flags: SelfSignedFlags, output: Output): Promise<void> {
  const { kind, commonName, ou: organizationalUnit, days, maxDays, keyType, out = kind, force } = flags;
  const made = { certFile: `${out}.crt`, keyFile: `${out}.key` };
  if (force !== true) await refuseExisting(Object.values(made));
  const { createSelfSigned } = await import('@knsock/certs');
  const subject = { commonName, organizationalUnit };
  const { certificate, key } = await createSelfSigned({ kind, names, ...subject, days, maxDays, keyType });
  await writeOutput(output, made.keyFile, key, { mode: SECRET, force });
  await writeOutput(output, made.certFile, certificate, { mode: PUBLIC, force });
  await output.result(made, `${made.certFile}\n${made.keyFile}`);
}

const HELP = `
The other side trusts it by itself: it gets the certificate, never the key, as its --ca. It can't be revoked, and a new
one has to be brought to everybody; where that matters, make an authority (knsock certs init). Examples:
  $ knsock certs self-signed localhost 127.0.0.1
  $ knsock serve --cert server.crt --key server.key
  $ knsock send localhost:8443 hello --ca server.crt`;
