import type { EndpointRule } from '../rule.js';

export const resumption: EndpointRule = {
  id: 'resumption',
  title: 'sessions are resumed',
  severities: ['notice'],
  why: 'Without resumption each connection costs a full handshake: signatures, and a round trip under TLS 1.2.',
  fix: 'Enable session tickets, with keys that are rotated regularly.',
  check: ({ resumption: ways }) =>
    ways === undefined || ways.tickets || ways.ids
      ? null
      : { severity: 'notice', evidence: 'a second connection was resumed neither by ticket nor by id' },
};
