/** The rules of `lint` for one certificate: data in, a sentence out. */
import {
  signatureWeakness,
  tlsKeyProblem,
  unmatchableNames,
  type UnmatchableName,
  type X509Certificate,
} from '@knsock/core/x509';
import { isWeakSignature, keyName, signatureName } from './algorithm-names.js';
import { LEAF_MAX_DAYS } from '../issuing/validity.js';

const DAY = 86_400_000;

/** A rule; `check` returns what is wrong, or undefined. */
export interface LintRule {
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'notice';
  readonly fix: string;
  readonly check: (certificate: X509Certificate, at: Date) => string | undefined;
}

const when = (odd: boolean, message: string): string | undefined => (odd ? message : undefined);

/** For every certificate. */
export const certificateRules: readonly LintRule[] = [
  {
    rule: 'weak-key',
    severity: 'error',
    fix: 'Make a new key: P-256, or RSA of 2,048 bits or more.',
    check: ({ publicKeyInfo: { kind } }) => when(isWeakKey(kind), `the key is weak: ${keyName(kind)}`),
  },
  {
    rule: 'weak-signature',
    severity: 'error',
    fix: 'Have it reissued, signed with SHA-256 or better.',
    check: (certificate) => {
      const { oid } = certificate.signatureAlgorithm;
      // A root's own signature proves nothing and is never checked.
      if (certificate.isSelfIssued) return undefined;
      if (isWeakSignature(oid)) return `the signature is weak: ${signatureName(oid)}`;
      const problem = signatureWeakness(certificate);
      return problem === undefined ? undefined : `it is signed with ${problem}`;
    },
  },
  {
    rule: 'expired',
    severity: 'error',
    fix: 'Renew it.',
    check: ({ notAfter }, at) => when(at > notAfter, `it expired on ${notAfter.toISOString()}`),
  },
  {
    rule: 'not-yet-valid',
    severity: 'error',
    fix: 'Set the clock right, here or where it was issued.',
    check: ({ notBefore }, at) => when(at < notBefore, `it is valid from ${notBefore.toISOString()} only`),
  },
  {
    rule: 'old-version',
    severity: 'warning',
    fix: 'Reissue it as version 3: without extensions its purpose is undefined.',
    check: ({ version }) => when(version < 3, `it is of version ${version}`),
  },
  {
    rule: 'short-serial',
    severity: 'warning',
    fix: 'Give serials 64 random bits or more (CA/Browser Forum 7.1).',
    check: ({ serial, isSelfIssued }) =>
      when(
        !isSelfIssued && (serial.startsWith('-') || serial.length < 14),
        `the serial ${serial} could be guessed`,
      ),
  },
];

/** For the certificates of servers, clients and peers. */
export const leafRules: readonly LintRule[] = [
  {
    rule: 'no-names',
    severity: 'error',
    fix: "Reissue it with its names as subjectAltName; the common name doesn't count.",
    check: (certificate) =>
      when(
        isFor(certificate, 'server') && certificate.subjectAltNames === undefined,
        'it has no subjectAltName',
      ),
  },
  {
    rule: 'no-extended-usage',
    severity: 'warning',
    fix: 'Reissue it for servers or for clients: without extended key usage it passes for anything.',
    check: ({ extendedKeyUsage }) => when(extendedKeyUsage === undefined, 'it has no extended key usage'),
  },
  {
    rule: 'any-usage',
    severity: 'error',
    fix: 'Reissue it for servers or for clients: OpenSSL and knsock take "any" for neither.',
    check: ({ extendedKeyUsage }) =>
      when(
        extendedKeyUsage?.includes(ANY_USAGE) === true &&
          !extendedKeyUsage.some((oid) => TLS_USAGES.has(oid)),
        'its extended key usage is "any", without TLS servers or clients',
      ),
  },
  {
    rule: 'netscape-type',
    severity: 'warning',
    fix: "Reissue it without Netscape's certificate type: OpenSSL refuses what it leaves out, whatever the other usages say.",
    check: ({ extendedKeyUsage, netscapeCertType: type }) => {
      const left = (['server', 'client'] as const).filter((use) => {
        const oid = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }[use];
        return (extendedKeyUsage?.includes(oid) ?? true) && type?.has(`SSL ${use}`) === false;
      });
      const shown = type === undefined || type.size === 0 ? 'nothing' : [...type].join(', ');
      return when(
        left.length > 0,
        `its Netscape certificate type (${shown}) doesn't allow TLS ${left.join('s and ')}s`,
      );
    },
  },
  {
    rule: 'unusable-key',
    severity: 'error',
    fix: 'Make a new key without such parameters: P-256, or plain RSA.',
    check: (certificate) => {
      const problem = tlsKeyProblem(certificate);
      return problem && `it ${problem}: every handshake fails`;
    },
  },
  {
    rule: 'no-signing',
    severity: 'error',
    fix: 'Reissue it with digitalSignature among its key usage: TLS 1.3 needs it.',
    check: ({ keyUsage }) =>
      when(
        keyUsage !== undefined && !keyUsage.has('digitalSignature'),
        "its key usage doesn't allow signing",
      ),
  },
  {
    rule: 'long-validity',
    severity: 'warning',
    fix: `Issue it for ${LEAF_MAX_DAYS} days at most, and renew: browsers and Apple refuse more.`,
    check: (certificate) => {
      const days = lifeDays(certificate);
      return when(days > LEAF_MAX_DAYS, `it is valid for ${days.toLocaleString('en')} days`);
    },
  },
  {
    rule: 'no-usable-name',
    severity: 'error',
    fix: 'Reissue it with names as peers look for them: example.com, *.example.com, 10.0.0.7 as an IP address.',
    check: (certificate) => {
      const unmatchable = unusable(certificate);
      const odd = unmatchable.length > 0 && unmatchable.length === certificate.subjectAltNames?.length;
      return when(odd, `no client can match any of its names: ${showUnmatchable(unmatchable)}`);
    },
  },
  {
    rule: 'unmatchable-name',
    severity: 'warning',
    fix: 'Reissue it without that name, or with the one that is meant.',
    check: (certificate) => {
      const unmatchable = unusable(certificate);
      const odd = unmatchable.length > 0 && unmatchable.length !== certificate.subjectAltNames?.length;
      return when(odd, `no client can match ${showUnmatchable(unmatchable)}`);
    },
  },
  {
    rule: 'name-not-listed',
    severity: 'notice',
    fix: 'Add the common name to subjectAltName: modern peers look there only.',
    check: (certificate) => {
      const name = certificate.subject.commonNames.find((one) =>
        /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(one),
      );
      const listed = [...certificate.dnsNames, ...certificate.ipAddresses].map((one) => one.toLowerCase());
      const odd = name !== undefined && isFor(certificate, 'server') && !listed.includes(name.toLowerCase());
      return when(odd, `the common name ${name} is not among its names`);
    },
  },
  {
    rule: 'broad-wildcard',
    severity: 'warning',
    fix: 'Name the hosts, or a wildcard below your own domain.',
    check: ({ dnsNames }) => {
      const broad = dnsNames.find((name) => BROAD_WILDCARD.test(name));
      return when(broad !== undefined, `the wildcard ${broad} covers other people's names`);
    },
  },
];

/** For the certificates of authorities. */
export const authorityRules: readonly LintRule[] = [
  {
    rule: 'no-certificate-signing',
    severity: 'error',
    fix: 'Reissue it with keyCertSign and cRLSign.',
    check: ({ keyUsage }) =>
      when(
        keyUsage !== undefined && !keyUsage.has('keyCertSign'),
        "its key usage doesn't allow signing certificates",
      ),
  },
  {
    rule: 'no-key-usage',
    severity: 'warning',
    fix: 'Reissue it with a key usage of keyCertSign and cRLSign (RFC 5280 4.2.1.3).',
    check: ({ keyUsage }) => when(keyUsage === undefined, 'it is an authority without key usage'),
  },
  {
    rule: 'soft-authority',
    severity: 'warning',
    fix: 'Reissue it with basicConstraints marked critical (RFC 5280 4.2.1.9).',
    check: ({ extensions }) =>
      when(extensions.get('2.5.29.19')?.critical === false, 'its basicConstraints are not critical'),
  },
  {
    rule: 'no-key-identifier',
    severity: 'notice',
    fix: 'Reissue it with a subjectKeyIdentifier: it distinguishes two keys of one authority.',
    check: ({ subjectKeyIdentifier }) => when(subjectKeyIdentifier === undefined, 'it has no key identifier'),
  },
];

function isWeakKey(kind: X509Certificate['publicKeyInfo']['kind']): boolean {
  if ('bits' in kind) return kind.bits < 2_048;
  if (kind.type === 'ec') return !['P-256', 'P-384', 'P-521'].includes(keyName(kind));
  return kind.type === 'dsa' || kind.type === 'unknown';
}

/** A wildcard that is too broad has its own rule: some clients do match it. */
const unusable = (certificate: X509Certificate): UnmatchableName[] =>
  unmatchableNames(certificate).filter(({ name }) => !BROAD_WILDCARD.test(name));

const ANY_USAGE = '2.5.29.37.0';
/** Servers and clients. */
const TLS_USAGES: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);

const BROAD_WILDCARD = /^\*(\.[^.]+)?$/;

/** The first few, each with its reason. */
function showUnmatchable(names: readonly UnmatchableName[]): string {
  const shown = names.slice(0, 3).map(({ name, problem }) => `"${name}" ${problem}`);
  return names.length > shown.length
    ? `${shown.join('; ')}; and ${names.length - shown.length} more`
    : shown.join('; ');
}

/** A certificate without extended key usage is valid for any purpose. */
export function isFor({ extendedKeyUsage }: X509Certificate, usage: 'server'): boolean {
  const oid = { server: '1.3.6.1.5.5.7.3.1' }[usage];
  return extendedKeyUsage === undefined || extendedKeyUsage.includes(oid);
}

/** Both ends are included, so the last second counts. */
function lifeDays({ notBefore, notAfter }: X509Certificate): number {
  return Math.ceil((notAfter.getTime() + 1_000 - notBefore.getTime()) / DAY);
}
