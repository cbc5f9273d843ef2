import type { EndpointRule } from '../rule.js';

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
