/** Names that no public CA certifies (CA/Browser Forum, Baseline Requirements 4.2.2): refused before an account is made for them. */
import { BlockList, isIP } from 'node:net';
import { CertificateError } from '../errors.js';
import { letsEncrypt, letsEncryptStaging } from './directories.js';
import type { Identifier } from './identifier.js';

/** Special-use domains (RFC 6761, 6762, 8375, and ICANN's resolution on .internal). */
const PRIVATE_DOMAINS = ['localhost', 'local', 'internal', 'test', 'invalid', 'home.arpa'];
const PRIVATE_NETWORKS = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.168.0.0/16', '::/127', 'fc00::/7', 'fe80::/10'],
];
const HINT =
  'Order a public DNS name that leads to this program. For names of your own network: an authority of your own (enrolment.md), or a private CA that speaks ACME, by its directory.';

/**
 * Another directory may be a private CA's, which certifies what it likes.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NAME`
 */
export function refusePrivateNames(identifiers: readonly Identifier[], directory: string): void {
  if (directory !== letsEncrypt && directory !== letsEncryptStaging) return;
  const found = identifiers.find((one) => (one.type === 'dns' ? isPrivateName : isPrivateAddress)(one.value));
  if (found === undefined) return;
  const message = `no public CA certifies "${found.value}": only public names and addresses`;
  throw new CertificateError('KNSOCK_CERTIFICATE_NAME', message, { hint: HINT });
}

function isPrivateName(name: string): boolean {
  return !name.includes('.') || PRIVATE_DOMAINS.some((domain) => name.endsWith(`.${domain}`));
}

function isPrivateAddress(address: string): boolean {
  const networks = new BlockList();
  for (const network of PRIVATE_NETWORKS) {
    const [first = '', prefix] = network.split('/');
    networks.addSubnet(first, Number(prefix), familyOf(first));
  }
  return networks.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
