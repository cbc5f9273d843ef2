/** Rules for the contents of a certificate and its chain. */
import {
  authorityFault,
  keyFault,
  namesFault,
  netscapeFault,
  signatureFault,
  type Fault,
  type OwnChain,
  type OwnChainWarning,
  type X509Certificate,
} from '@knsock/core/x509';
import { severities } from '../../severity.js';
import type { ChainRule, Found } from '../rule.js';

/** The most severe one, the first of several; null where there is none. */
const worst = (found: readonly Found[]): Found | null =>
  severities.flatMap((severity) => found.filter((one) => one.severity === severity))[0] ?? null;

/** What was found about a chain as its owner would send it. */
const foundIn = (own: OwnChain, reason: OwnChainWarning['reason']): Found[] =>
  own.warnings
    .filter((one) => one.reason === reason)
    .map(({ severity, message: evidence }) => ({ severity, evidence }));

/** The same about a certificate itself. */
const foundOn = (certificate: X509Certificate, fault: Fault | undefined): Found[] =>
  fault === undefined
    ? []
    : [{ severity: fault.severity, evidence: `${certificate.subject.toString()} ${fault.problem}` }];

export const strongKeys: ChainRule = {
  id: 'strong-keys',
  title: 'keys and signatures are strong',
  severities: ['error', 'warning'],
  why: 'A weak key can be computed from the certificate, and a SHA-1 signature can be forged; current peers refuse both.',
  fix: 'Create a new key: P-256, or RSA of 2,048 bits or more, signed with SHA-256 or better (knsock certs issue).',
  check: ({ chain, own }) => {
    if (own?.refusal !== undefined) return { severity: 'error', evidence: own.refusal };
    if (own !== null) return worst(foundIn(own, 'weak'));
    return worst(
      chain.flatMap((one) => {
        const key = keyFault(one);
        return foundOn(one, key === undefined ? signatureFault(one) : { severity: 'error', problem: key });
      }),
    );
  },
};

export const caSigned: ChainRule = {
  id: 'ca-signed',
  title: 'the certificate is issued by a CA',
  severities: ['warning'],
  why: "A self-signed certificate can only be trusted one by one: it can't be revoked, and replacing it requires a change on every client.",
  fix: 'Issue it with your own CA: knsock certs ca, then knsock certs issue.',
  check: ({ chain: [leaf], isOwn }) =>
    leaf?.isSelfIssued === true && (isOwn || leaf.basicConstraints?.ca !== true)
      ? { severity: 'warning', evidence: `${leaf.subject.toString()} is signed by itself` }
      : null,
};

export const form: ChainRule = {
  id: 'form',
  title:
    'no certificate contradicts itself, has an unknown critical extension or signs what it must not sign',
  severities: ['error', 'warning'],
  why: 'RFC 5280 requires verifiers to refuse such a certificate: knsock and strict OpenSSL do, others may in the future.',
  fix: 'Reissue it without that: knsock certs inspect FILE shows its extensions.',
  check: ({ chain, own }) => {
    if (own !== null) {
      const leaf = chain[0] as X509Certificate;
      return worst([...foundIn(own, 'refused'), ...foundOn(leaf, netscapeFault(leaf))]);
    }
    const evidence = chain.flatMap((one) => authorityFault(one) ?? [])[0];
    return evidence === undefined ? null : { severity: 'error', evidence };
  },
};

export const tls12Peers: ChainRule = {
  id: 'tls12-peers',
  title: 'peers that speak TLS 1.2 can use the certificate too',
  severities: ['notice'],
  why: 'ML-DSA is defined for TLS 1.3 alone: to a peer without it the handshake fails, whatever versions the server allows.',
  fix: 'Keep it where every peer has TLS 1.3 and ML-DSA; else issue a P-256 certificate (knsock certs issue).',
  check: ({ own }) => (own === null ? null : worst(foundIn(own, 'tls13-only'))),
};

export const names: ChainRule = {
  id: 'names',
  title: 'the certificate has its names as subjectAltName, each in a form that clients can match',
  severities: ['error', 'warning'],
  why: 'Clients use only subjectAltName; they never match a name that is only in the common name, or one with a scheme or a port, or an address written as a DNS name.',
  fix: 'Issue it with its names: knsock certs issue NAME ….',
  check: ({ chain: [leaf], isOwn }) => {
    if (leaf === undefined || (!isOwn && leaf.basicConstraints?.ca === true)) return null;
    const fault = namesFault(leaf);
    if (fault === undefined) return null;
    const {
      severity,
      unmatchable: [first],
    } = fault;
    const evidence =
      first === undefined
        ? `${leaf.subject.toString()} has no subjectAltName`
        : `no client can match the name "${first.name}": it ${first.problem}`;
    return { severity, evidence };
  },
};

export const chainOrder: ChainRule = {
  id: 'chain-order',
  title: 'the chain is complete and in order',
  severities: ['error', 'warning'],
  why: "Clients that lack the missing certificate, or require the order, can't build the path.",
  fix: 'Order the file leaf first, then each issuer: knsock certs convert FILE --to chain.',
  check: ({ own }) => (own === null ? null : worst(foundIn(own, 'chain'))),
};
