import type { EndpointRule } from '../rule.js';

export const serverPreference: EndpointRule = {
  id: 'server-preference',
  title: 'the server decides which suite is used',
  severities: ['notice'],
  why: 'An old client’s order would otherwise choose the weakest suite that both know.',
  fix: 'Switch on the server’s own order (honorCipherOrder, ssl_prefer_server_ciphers).',
  check: ({ serverPreference }) =>
    serverPreference === false
      ? { severity: 'notice', evidence: 'it took the suite that the client named first' }
      : null,
};
