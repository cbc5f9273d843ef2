import type { EndpointRule } from '../rule.js';

export const serverPreference: EndpointRule = {
  id: 'server-preference',
  title: 'the server chooses the cipher suite',
  severities: ['notice'],
  why: 'Otherwise the order of an old client may choose the weakest common suite.',
  fix: 'Enable the server’s own order (honorCipherOrder, ssl_prefer_server_ciphers).',
  check: ({ serverPreference }) =>
    serverPreference === false
      ? { severity: 'notice', evidence: 'it took the suite that the client named first' }
      : null,
};
