import type { EndpointRule } from '../rule.js';

export const minimumTls: EndpointRule = {
  id: 'minimum-tls',
  title: 'TLS 1.2 is the oldest version',
  severities: ['error'],
  why: 'SSL 2.0 and 3.0 are broken; TLS 1.0 and 1.1 depend on MD5 and SHA-1 and are deprecated (RFC 8996).',
  fix: 'Set the server’s minimum to TLS 1.2; it is the default of knsock serve.',
  check: ({ versions }) => {
    const old = versions.map(({ version }) => version).filter((version) => version < 'TLSv1.2');
    return old.length === 0 ? null : { severity: 'error', evidence: `it accepts ${old.join(' and ')}` };
  },
};
