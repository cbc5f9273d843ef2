/** `knsock certs issue` */
import { Option, type Command } from 'commander';
import type { CertificateKind, KeyType } from '@knsock/certs';
import { shortPath } from '../../files.js';
import { append, count } from '../../options.js';
import type { Output } from '../../output.js';
import { addStoreOptions, authorityOf, keyTypeOption, type StoreFlags } from './store-options.js';

interface IssueFlags extends StoreFlags {
  kind: CertificateKind;
  commonName?: string;
  ou?: string[];
  days?: number;
  maxDays?: number;
  keyType?: KeyType;
  crlUrl?: string[];
  file?: string;
  force?: boolean;
}

export function defineIssue(command: Command, output: Output): void {
  command
    .description('issue a certificate with a new key')
    .argument('[name...]', 'DNS names, IP addresses, URIs (with ://), e-mail addresses (with @)')
    .addOption(kindOption())
    .option('--common-name <name>', 'the subject’s common name (default: the first name)')
    .option('--ou <name>', 'the subject’s organisational unit (repeatable)', append)
    .option('--days <n>', 'how long it is valid (default: 90)', count)
    .option('--max-days <n>', 'the most days allowed (default: 398)', count)
    .addOption(keyTypeOption())
    .option('--crl-url <url>', 'where the authority’s revocation list can be fetched (repeatable)', append)
    .option('--file <name>', 'the name of its files in the store (default: from the first name)')
    .option('--force', 'replace files of that name');
  addStoreOptions(command)
    .addHelpText('after', HELP)
    .action(async (names: string[], flags: IssueFlags) => {
      await issue(names, flags, output);
    });
}

export function kindOption(): Option {
  return new Option('--kind <kind>', 'what it is for')
    .choices(['server', 'client', 'peer'])
    .default('server');
}

async function issue(names: string[], flags: IssueFlags, output: Output): Promise<void> {
  const {
    kind,
    commonName,
    ou: organizationalUnit,
    days,
    maxDays,
    keyType,
    crlUrl: crlUrls,
    file,
    force,
  } = flags;
  const authority = await authorityOf(flags, output);
  const subject = { commonName, organizationalUnit };
  const placement = { file, overwrite: force };
  const issued = await authority.issue({
    kind,
    names,
    ...subject,
    days,
    maxDays,
    keyType,
    crlUrls,
    ...placement,
  });
  const { certFile = '', keyFile = '' } = issued.files ?? {};
  await output.result({ certFile, keyFile }, `${shortPath(certFile)}\n${shortPath(keyFile)}`);
}

const HELP = `
Examples:
  $ knsock certs issue db.internal 10.0.0.7
  $ knsock certs issue --kind client --common-name app
  $ knsock certs issue --kind peer spiffe://example.internal/billing`;
