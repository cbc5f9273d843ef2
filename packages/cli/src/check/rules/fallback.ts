import type { EndpointRule } from '../rule.js';

export const fallback: EndpointRule = {
  id: 'fallback',
  title: 'clients can’t be downgraded to an older version',
  severities: ['warning'],
  why: 'An attacker in the middle can abort handshakes until an old client tries an older version (RFC 7507).',
  fix: 'Update the server’s TLS library, or allow one version only.',
  check: ({ fallbackProtected }) =>
    fallbackProtected === false
      ? { severity: 'warning', evidence: 'it went on although the client said that it had fallen back' }
      : null,
};
