/** Rules for the contents of a certificate and its chain. */
import { certificateWeakness, mayHaveIssued, unmatchableNames, validatePath } from '@knsock/core/x509';
import type { ChainRule } from '../rule.js';

export const strongKeys: ChainRule = {
  id: 'strong-keys',
  title: 'keys and signatures are strong',
  severities: ['error', 'warning'],
  why: 'A weak key can be computed from the certificate, and a SHA-1 signature can be forged; current peers refuse both.',
  fix: 'Create a new key: P-256, or RSA of 2,048 bits or more, signed with SHA-256 or better (knsock certs issue).',
  check: ({ chain, own, isShown }) => {
    if (own?.refusal !== undefined) return { severity: 'error', evidence: own.refusal };
    // knsock's servers leave it out; a server that sent it doesn't.
    const left = own?.warnings.find(({ reason }) => reason === 'weak');
    if (own !== null && !isShown) return left ? { severity: 'warning', evidence: left.message } : null;
    for (const certificate of chain) {
      const weakness = certificateWeakness(certificate);
      if (weakness !== undefined) {
        return { severity: 'error', evidence: `${certificate.subject.toString()} ${weakness}` };
      }
    }
    return null;
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
  severities: ['error'],
  why: 'RFC 5280 requires verifiers to refuse such a certificate: knsock and strict OpenSSL do, others may in the future.',
  fix: 'Reissue it without that: knsock certs inspect FILE shows its extensions.',
  check: ({ chain: [leaf], own, at }) => {
    const refused = own?.warnings.find(({ reason }) => reason === 'refused');
    if (refused !== undefined) return { severity: 'error', evidence: refused.message };
    if (own !== null || leaf === undefined) return null;
    const verdict = validatePath([leaf], { usage: 'server', at });
    return verdict.ok || verdict.reason !== 'malformed'
      ? null
      : { severity: 'error', evidence: verdict.message };
  },
};

export const tls12Peers: ChainRule = {
  id: 'tls12-peers',
  title: 'peers that speak TLS 1.2 can use the certificate too',
  severities: ['notice'],
  why: 'ML-DSA is defined for TLS 1.3 alone: to a peer without it the handshake fails, whatever versions the server allows.',
  fix: 'Keep it where every peer has TLS 1.3 and ML-DSA; else issue a P-256 certificate (knsock certs issue).',
  check: ({ own }) => {
    const warning = own?.warnings.find(({ reason }) => reason === 'tls13-only');
    return warning ? { severity: 'notice', evidence: warning.message } : null;
  },
};

/** id-kp-clientAuth (RFC 5280 4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

export const names: ChainRule = {
  id: 'names',
  title: 'the certificate has its names as subjectAltName, each in a form that clients can match',
  severities: ['error', 'warning'],
  why: 'Clients use only subjectAltName; they never match a name that is only in the common name, or one with a scheme or a port, or an address written as a DNS name.',
  fix: 'Issue it with its names: knsock certs issue NAME ….',
  check: ({ chain: [leaf], isOwn }) => {
    if (leaf === undefined || (!isOwn && leaf.basicConstraints?.ca === true)) return null;
    const named = (leaf.subjectAltNames ?? []).length > 0;
    const isClient = leaf.extendedKeyUsage?.length === 1 && leaf.extendedKeyUsage[0] === CLIENT_AUTH;
    if (!named && !isClient)
      return { severity: 'error', evidence: `${leaf.subject.toString()} has no subjectAltName` };
    const [first, ...more] = unmatchableNames(leaf);
    if (first === undefined) return null;
    const severity = more.length + 1 === leaf.subjectAltNames?.length ? 'error' : 'warning';
    return { severity, evidence: `no client can match the name "${first.name}": it ${first.problem}` };
  },
};

export const chainOrder: ChainRule = {
  id: 'chain-order',
  title: 'the chain is complete and in order',
  severities: ['error', 'warning'],
  why: "Clients that lack the missing certificate, or require the order, can't build the path.",
  fix: 'Order the file leaf first, then each issuer: knsock certs convert FILE --to chain.',
  check: ({ chain, own, anchors }) => {
    const warning = own?.warnings.find(({ reason }) => reason === 'chain');
    if (own === null || warning === undefined) return null;
    const leaf = own.chain[0];
    // Without its issuer a client that has only the root finds no path.
    const isWhole =
      own.chain.length > 1 ||
      leaf === undefined ||
      [leaf, ...anchors].some((issuer) => mayHaveIssued(issuer, leaf));
    const isLeafFirst = !chain.some((one) => one !== leaf && leaf !== undefined && mayHaveIssued(leaf, one));
    return { severity: isWhole && isLeafFirst ? 'warning' : 'error', evidence: warning.message };
  },
};
