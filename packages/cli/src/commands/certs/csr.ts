/** `knsock certs csr` */
import type { Command } from 'commander';
import type { CertificateKind, KeyType } from '@knsock/certs';
import {
  commonNameOption,
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

interface CsrFlags {
  kind: CertificateKind;
  commonName?: string;
  ou?: string[];
  keyType?: KeyType;
  out: string;
  force?: boolean;
}

export function defineCsr(command: Command, output: Output): void {
  command
    .description('create a key and a certificate signing request')
    .argument('[name...]', 'DNS names, IP addresses, URIs (with ://), e-mail addresses (with @)')
    .addOption(kindOption())
    .addOption(commonNameOption())
    .addOption(organizationalUnitOption())
    .addOption(keyTypeOption())
    .option('--out <path>', 'path of the output: PATH.csr and PATH.key', pathOfPair, 'request')
    .addOption(overwriteOption())
    .addHelpText('after', HELP)
    .action(async (names: string[], flags: CsrFlags) => {
      await request(names, flags, output);
    });
}

async function request(names: string[], flags: CsrFlags, output: Output): Promise<void> {
  const { kind, commonName, ou: organizationalUnit, keyType, out, force } = flags;
  if (kind !== 'client') refuseWebAddresses(names);
  const made = { csrFile: `${out}.csr`, keyFile: `${out}.key` };
  if (force !== true) await refuseExisting(Object.values(made));
  const { createCsr } = await import('@knsock/certs');
  const { csr, key } = await createCsr({ kind, names, commonName, organizationalUnit, keyType });
  const keyWritten = { file: made.keyFile, data: key, mode: SECRET };
  await writeFiles([keyWritten, { file: made.csrFile, data: csr, mode: PUBLIC }], force);
  await output.result(made, `${made.csrFile}\n${made.keyFile}`);
}

const HELP = `
The key never leaves this machine. Example:
  $ knsock certs csr db.internal --out db
  $ knsock certs sign db.csr --allow db.internal        # where the authority is`;
