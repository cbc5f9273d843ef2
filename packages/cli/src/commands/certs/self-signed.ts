/** `knsock certs self-signed` */
import type { Command } from 'commander';
import type { CertificateKind, KeyType } from '@knsock/certs';
import {
  commonNameOption,
  daysOption,
  maxDaysOption,
  organizationalUnitOption,
  overwriteOption,
  refuseWebAddresses,
} from './certificate-options.js';
import { PUBLIC, SECRET } from '../../files.js';
import { pathOfPair } from '../../name-flags.js';
import type { Output } from '../../output.js';
import { kindOption } from './issue.js';
import { keyTypeOption } from './store-options.js';
import { refuseExisting, writeFiles } from '../../written-files.js';

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
    .description(
      'create a self-signed certificate with a new key, for tests and for two programs that trust each other directly',
    )
    .argument('[name...]', 'DNS names, IP addresses, URIs (with ://), e-mail addresses (with @)')
    .addOption(kindOption())
    .addOption(commonNameOption())
    .addOption(organizationalUnitOption())
    .addOption(daysOption())
    .addOption(maxDaysOption())
    .addOption(keyTypeOption())
    .option('--out <path>', 'path of the output: PATH.crt and PATH.key (default: the purpose)', pathOfPair)
    .addOption(overwriteOption())
    .addHelpText('after', HELP)
    .action(async (names: string[], flags: SelfSignedFlags) => {
      await makeSelfSigned(names, flags, output);
    });
}

async function makeSelfSigned(names: string[], flags: SelfSignedFlags, output: Output): Promise<void> {
  const { kind, commonName, ou: organizationalUnit, days, maxDays, keyType, out = kind, force } = flags;
  if (kind !== 'client') refuseWebAddresses(names);
  const made = { certFile: `${out}.crt`, keyFile: `${out}.key` };
  if (force !== true) await refuseExisting(Object.values(made));
  const { createSelfSigned } = await import('@knsock/certs');
  const subject = { commonName, organizationalUnit };
  const { certificate, key } = await createSelfSigned({ kind, names, ...subject, days, maxDays, keyType });
  const keyWritten = { file: made.keyFile, data: key, mode: SECRET };
  await writeFiles([keyWritten, { file: made.certFile, data: certificate, mode: PUBLIC }], force);
  await output.result(made, `${made.certFile}\n${made.keyFile}`);
}

const HELP = `
The peer trusts the certificate directly: give it the certificate, never the key, as its --ca. It can't be revoked, and
a renewed one must be distributed to every peer; to avoid that, create an authority (knsock certs init).

Examples:
  $ knsock certs self-signed localhost 127.0.0.1
  $ knsock serve --cert server.crt --key server.key
  $ knsock send localhost:8443 hello --ca server.crt`;
