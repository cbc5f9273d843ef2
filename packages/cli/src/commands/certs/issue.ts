/** `knsock certs issue` */
import path from 'node:path';
import { Option, type Command } from 'commander';
import type { CertificateKind, Issued, KeyType } from '@knsock/certs';
import {
  commonNameOption,
  crlUrlOption,
  daysOption,
  maxDaysOption,
  organizationalUnitOption,
  overwriteOption,
  refuseWebAddresses,
} from './certificate-options.js';
import { shortPath } from '../../files.js';
import { storeName } from '../../name-flags.js';
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
  for?: 'kubernetes';
}

export function defineIssue(command: Command, output: Output): void {
  command
    .description('issue a certificate with a new key')
    .argument('[name...]', 'DNS names, IP addresses, URIs (with ://), e-mail addresses (with @)')
    .addOption(kindOption())
    .addOption(commonNameOption())
    .addOption(organizationalUnitOption())
    .addOption(daysOption())
    .addOption(maxDaysOption())
    .addOption(keyTypeOption())
    .addOption(crlUrlOption())
    .option('--file <name>', 'name of its files in the store (default: from the first name)', storeName)
    .addOption(overwriteOption())
    .addOption(
      new Option(
        '--for <place>',
        'print a Kubernetes Secret (kubernetes.io/tls) for kubectl apply -f -',
      ).choices(['kubernetes']),
    );
  addStoreOptions(command)
    .addHelpText('after', HELP)
    .action(async (names: string[], flags: IssueFlags) => {
      await issue(names, flags, output);
    });
}

export function kindOption(usual: CertificateKind = 'server'): Option {
  return new Option('--kind <kind>', 'purpose').choices(['server', 'client', 'peer']).default(usual);
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
  if (kind !== 'client') refuseWebAddresses(names);
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
  if (flags.for === 'kubernetes') {
    const secret = kubernetesSecret(path.basename(certFile, '.crt'), issued, authority.root);
    await output.result({ certFile, keyFile, secret }, secret);
    return;
  }
  await output.result({ certFile, keyFile }, `${shortPath(certFile)}\n${shortPath(keyFile)}`);
}

/** A manifest; Kubernetes' names follow the rules of DNS (RFC 1123). */
function kubernetesSecret(name: string, { chain, key }: Issued, root: string): string {
  const label = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  return [
    'apiVersion: v1',
    'kind: Secret',
    'type: kubernetes.io/tls',
    'metadata:',
    `  name: ${label === '' ? 'tls' : label}`,
    'data:',
    `  tls.crt: ${encoded(chain)}`,
    `  tls.key: ${encoded(key)}`,
    `  ca.crt: ${encoded(root)}`,
  ].join('\n');
}

const HELP = `
Examples:
  $ knsock certs issue db.internal 10.0.0.7
  $ knsock certs issue --kind client --common-name app
  $ knsock certs issue db.internal --for kubernetes | kubectl apply -f -
  $ knsock certs issue --kind peer spiffe://example.internal/billing`;
