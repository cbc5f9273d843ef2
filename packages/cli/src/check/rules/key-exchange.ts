/** Groups, parameters and signatures of handshakes. */
import type { EndpointRule } from '../rule.js';

const WEAK_GROUP = /^secp(192|224)r1$/;

export const groups: EndpointRule = {
  id: 'groups',
  title: 'elliptic-curve groups are of 256 bits or more',
  severities: ['warning'],
  why: 'Smaller curves give less than 128 bits of security.',
  fix: 'Allow X25519, P-256 and P-384 only.',
  check: ({ versions }) => {
    const all = new Set(versions.flatMap((one) => one.groups));
    const weak = [...all].filter((group) => WEAK_GROUP.test(group));
    return weak.length === 0 ? null : { severity: 'warning', evidence: `it accepts ${weak.join(', ')}` };
  },
};

const HYBRID = /MLKEM/;

export const hybridGroup: EndpointRule = {
  id: 'hybrid-group',
  title: 'the key exchange is safe against future quantum computers',
  severities: ['notice'],
  why: 'Traffic recorded today could be decrypted later; X25519MLKEM768 prevents that.',
  fix: 'Run the server on Node 22 or later, or OpenSSL 3.5 or later; knsock offers the group if the runtime supports it.',
  check: ({ versions }) => {
    const modern = versions.find(({ version }) => version === 'TLSv1.3');
    // Without TLS 1.3 there is no such group, and another rule says so.
    if (modern === undefined || modern.groups.some((group) => HYBRID.test(group))) return null;
    return { severity: 'notice', evidence: `it negotiates ${modern.groups.join(', ')} only` };
  },
};

const LEAST_BITS = 2_048;

export const dhParameters: EndpointRule = {
  id: 'dh-parameters',
  title: 'finite-field key exchange has 2,048 bits or more',
  severities: ['error'],
  why: 'Primes of 1,024 bits can be broken by state attackers, and many servers share the same ones (Logjam).',
  fix: 'Disable DHE suites, or configure parameters of 2,048 bits or more.',
  check: ({ dhBits }) =>
    dhBits !== null && dhBits < LEAST_BITS
      ? { severity: 'error', evidence: `its prime has ${dhBits.toLocaleString('en')} bits` }
      : null,
};

const WEAK_SIGNATURE = /SHA1$|MD5$|SHA224$/;

export const signatureAlgorithms: EndpointRule = {
  id: 'signature-algorithms',
  title: "handshakes aren't signed with SHA-1 or weaker",
  severities: ['error'],
  why: 'SHA-1 collisions are practical, so such a signature proves little.',
  fix: 'Allow only signatures with SHA-256 or better.',
  check: ({ versions }) => {
    const all = new Set(versions.flatMap((one) => one.signatureAlgorithms));
    const weak = [...all].filter((algorithm) => WEAK_SIGNATURE.test(algorithm));
    return weak.length === 0
      ? null
      : { severity: 'error', evidence: `it signs with ${weak.join(', ')} when asked to` };
  },
};
