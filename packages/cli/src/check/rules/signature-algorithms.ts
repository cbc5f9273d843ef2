import type { EndpointRule } from '../rule.js';

const WEAK = /SHA1$|MD5$|SHA224$/;

export const signatureAlgorithms: EndpointRule = {
  id: 'signature-algorithms',
  title: 'handshakes aren’t signed with SHA-1 or weaker',
  severities: ['error'],
  why: 'SHA-1 collisions are practical, so such a signature proves little.',
  fix: 'Allow only signatures with SHA-256 or better.',
  check: ({ versions }) => {
    const all = new Set(versions.flatMap((one) => one.signatureAlgorithms));
    const weak = [...all].filter((algorithm) => WEAK.test(algorithm));
    return weak.length === 0
      ? null
      : { severity: 'error', evidence: `it signs with ${weak.join(', ')} when asked to` };
  },
};
