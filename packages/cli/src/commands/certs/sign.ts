/** `knsock certs sign` */
import type { Command } from 'commander';
import type { CertificateKind } from '@knsock/certs';
import { crlUrlOption, daysOption, overwriteOption } from './certificate-options.js';
import { naming, readInput, shortPath } from '../../files.js';
import { append } from '../../options.js';
import { storeName } from '../../name-flags.js';
import type { Output } from '../../output.js';
import { kindOption } from './issue.js';
import { addStoreOptions, authorityOf, type StoreFlags } from './store-options.js';

interface SignFlags extends StoreFlags {
  allow?: string[];
  addName?: string[];
  skipOtherNames?: boolean;
  commonName?: string;
  kind: CertificateKind;
  days?: number;
  crlUrl?: string[];
  file?: string;
  force?: boolean;
}

export function defineSign(command: Command, output: Output): void {
  command
    .description('sign a certificate signing request, within the names allowed')
    .argument('<csr>', 'certificate signing request (PEM or DER); - reads standard input')
    .option(
      '--allow <name>',
      'name that the request may contain; *.example.com for any below (repeatable)',
      append,
    )
    .option('--add-name <name>', 'name to add to the requested ones (repeatable)', append)
    .option('--skip-other-names', 'drop names of other types, such as user principal names')
    .option('--common-name <name>', 'common name of the subject, instead of the requested one')
    .addOption(kindOption())
    .addOption(daysOption())
    .addOption(crlUrlOption())
    .option('--file <name>', 'name of its file in the store (default: from the first name)', storeName)
    .addOption(overwriteOption());
  addStoreOptions(command)
    .addHelpText('after', HELP)
    .action(async (csr: string, flags: SignFlags) => {
      await sign(csr, flags, output);
    });
}

async function sign(csr: string, flags: SignFlags, output: Output): Promise<void> {
  const {
    kind,
    allow: names = [],
    addName: addNames,
    skipOtherNames,
    commonName,
    days,
    crlUrl: crlUrls,
    file,
    force,
  } = flags;
  const authority = await authorityOf(flags, output);
  const subject = commonName === undefined ? undefined : { commonName };
  const policy = { kind, names, addNames, skipOtherNames, subject, days, crlUrls, file, overwrite: force };
  const request = await readInput(csr);
  const { files, dropped } = await naming(csr, () => authority.sign(request, policy));
  if (dropped.length > 0) output.say(`not granted: ${dropped.join(', ')}`);
  await output.result({ certFile: files?.certFile, dropped }, shortPath(files?.certFile ?? ''));
}

const HELP = `
Names that aren't allowed are refused; subject and extensions of the request are not copied.

Examples:
  $ knsock certs sign db.csr --allow db.internal
  $ knsock certs sign app.csr --kind client --allow '*.apps.internal' --common-name app`;
