import type { EndpointRule } from '../rule.js';

export const tls13: EndpointRule = {
  id: 'tls13',
  title: 'TLS 1.3 is offered',
  severities: ['warning'],
  why: 'TLS 1.3 connects faster, encrypts certificates and has no weak suites.',
  fix: 'Update the server’s TLS library, or stop limiting it to 1.2.',
  check: ({ versions }) => {
    const spoken = versions.map(({ version }) => version);
    if (spoken.includes('TLSv1.3')) return null;
    return { severity: 'warning', evidence: `it accepts ${spoken.join(', ') || 'no version'} only` };
  },
};
