/** `knsock certs sign` */
import type { Command } from 'commander';
import type { CertificateKind } from '@knsock/certs';
import { readInput, shortPath } from '../../files.js';
import { append, count } from '../../options.js';
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
    .description('sign a request, as far as it is allowed what it asks for')
    .argument('<csr>', 'the request, PEM or DER; - is standard input')
    .option(
      '--allow <name>',
      'a name that may be asked for; *.example.com for any below (repeatable)',
      append,
    )
    .option('--add-name <name>', 'a name to give beside those asked for (repeatable)', append)
    .option('--skip-other-names', 'leave out names of other kinds, such as user principal names')
    .option('--common-name <name>', 'the subject’s common name, whatever the request says')
    .addOption(kindOption())
    .option('--days <n>', 'how long it is valid (default: 90)', count)
    .option('--crl-url <url>', 'where the authority’s revocation list can be fetched (repeatable)', append)
    .option('--file <name>', 'the name of its file in the store (default: from the first name)')
    .option('--force', 'replace a file of that name');
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
  const { files, dropped } = await authority.sign(await readInput(csr), policy);
  if (dropped.length > 0) output.say(`not granted: ${dropped.join(', ')}`);
  await output.result({ certFile: files?.certFile, dropped }, shortPath(files?.certFile ?? ''));
}

const HELP = `
A request gets no name that isn't allowed, and no subject or extension of its own choosing. Examples:
  $ knsock certs sign db.csr --allow db.internal
  $ knsock certs sign app.csr --kind client --allow '*.apps.internal' --common-name app`;
