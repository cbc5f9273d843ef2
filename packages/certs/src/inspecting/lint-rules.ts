/** The rules of `lint` for one certificate: data in, a sentence out. */
import {
  excessiveDays,
  keyFault,
  LEAF_MAX_DAYS,
  namesFault,
  netscapeFault,
  signatureFault,
  signingFault,
  tlsKeyProblem,
  usageOf,
  type Severity,
  type UnmatchableName,
  type X509Certificate,
} from '@knsock/core/x509';

/** A rule; `check` returns what is wrong, or undefined. */
export interface LintRule {
  readonly rule: string;
  /** That of the certificate alone: in a chain another may stand in for it. */
  readonly severity: Severity | ((certificate: X509Certificate) => Severity);
  readonly fix: string;
  readonly check: (certificate: X509Certificate, at: Date) => string | undefined;
}

const when = (odd: boolean, message: string): string | undefined => (odd ? message : undefined);

const it = (problem: string | undefined): string | undefined => problem && `it ${problem}`;

/** For every certificate. */
export const certificateRules: readonly LintRule[] = [
  {
    rule: 'weak-key',
    severity: 'error',
    fix: 'Make a new key: P-256, or RSA of 2,048 bits or more.',
    check: (certificate) => it(keyFault(certificate)),
  },
  {
    rule: 'weak-signature',
    severity: (certificate) => signatureFault(certificate)?.severity ?? 'error',
    fix: 'Have it reissued, signed with SHA-256 or better.',
    check: (certificate) => it(signatureFault(certificate)?.problem),
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
      when(namesFault(certificate)?.unmatchable.length === 0, 'it has no subjectAltName'),
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
    severity: (certificate) => netscapeFault(certificate)?.severity ?? 'warning',
    fix: "Reissue it without Netscape's certificate type: OpenSSL refuses what it leaves out, whatever the other usages say.",
    check: (certificate) => it(netscapeFault(certificate)?.problem),
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
      const days = excessiveDays(certificate);
      return days === undefined ? undefined : `it is valid for ${days.toLocaleString('en')} days`;
    },
  },
  {
    rule: 'no-usable-name',
    severity: 'error',
    fix: 'Reissue it with names as peers look for them: example.com, *.example.com, 10.0.0.7 as an IP address.',
    check: (certificate) => {
      const { severity, unmatchable = [] } = namesFault(certificate) ?? {};
      const odd = severity === 'error' && unmatchable.length > 0;
      return when(odd, `no client can match any of its names: ${showUnmatchable(unmatchable)}`);
    },
  },
  {
    rule: 'unmatchable-name',
    severity: 'warning',
    fix: 'Reissue it without that name, or with the one that is meant.',
    check: (certificate) => {
      const { severity, unmatchable = [] } = namesFault(certificate) ?? {};
      return when(severity === 'warning', `no client can match ${showUnmatchable(unmatchable)}`);
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
      const odd =
        name !== undefined && usageOf(certificate) === 'server' && !listed.includes(name.toLowerCase());
      return when(odd, `the common name ${name} is not among its names`);
    },
  },
];

/** For the certificates of authorities. */
export const authorityRules: readonly LintRule[] = [
  {
    rule: 'no-certificate-signing',
    severity: 'error',
    fix: 'Reissue it with keyCertSign and cRLSign.',
    check: signingFault,
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

const ANY_USAGE = '2.5.29.37.0';
/** Servers and clients. */
const TLS_USAGES: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);

/** The first few, each with its reason. */
function showUnmatchable(names: readonly UnmatchableName[]): string {
  const shown = names.slice(0, 3).map(({ name, problem }) => `"${name}" ${problem}`);
  return names.length > shown.length
    ? `${shown.join('; ')}; and ${names.length - shown.length} more`
    : shown.join('; ');
}
