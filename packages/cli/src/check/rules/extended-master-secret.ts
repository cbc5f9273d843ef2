import type { EndpointRule } from '../rule.js';

export const extendedMasterSecret: EndpointRule = {
  id: 'extended-master-secret',
  title: 'session keys are bound to the whole handshake',
  severities: ['warning'],
  why: 'Otherwise an attacker can make two sessions share their keys, and impersonate a client (RFC 7627).',
  fix: 'Update the server’s TLS library.',
  check: ({ extendedMasterSecret: bound }) =>
    bound === false
      ? { severity: 'warning', evidence: 'it doesn’t agree to extended_master_secret before TLS 1.3' }
      : null,
};
