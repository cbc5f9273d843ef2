/** Rules for other session parameters: compression, renegotiation, keys, resumption. */
import type { EndpointRule } from '../rule.js';

export const compression: EndpointRule = {
  id: 'compression',
  title: 'TLS compression is off',
  severities: ['error'],
  why: 'The length of compressed data reveals secrets in it (CRIME).',
  fix: 'Disable compression in the TLS library (SSL_OP_NO_COMPRESSION); the application may compress.',
  check: ({ compression: compresses }) =>
    compresses ? { severity: 'error', evidence: 'it agreed to compress' } : null,
};

export const renegotiation: EndpointRule = {
  id: 'renegotiation',
  title: "clients can't renegotiate",
  severities: ['warning'],
  why: 'A client that renegotiates in a loop costs the server far more than the client.',
  fix: 'Disable renegotiation (SSL_OP_NO_RENEGOTIATION), or allow only TLS 1.3.',
  check: ({ renegotiation: allowed }) =>
    allowed ? { severity: 'warning', evidence: "it renegotiated at the client's wish" } : null,
};

export const secureRenegotiation: EndpointRule = {
  id: 'secure-renegotiation',
  title: 'the server supports secure renegotiation',
  severities: ['error'],
  why: 'Otherwise an attacker in the middle can insert data before that of a client (RFC 5746).',
  fix: "Update the server's TLS library.",
  check: ({ secureRenegotiation: marked }) =>
    marked === false ? { severity: 'error', evidence: 'its ServerHello has no renegotiation_info' } : null,
};

export const extendedMasterSecret: EndpointRule = {
  id: 'extended-master-secret',
  title: 'session keys are bound to the whole handshake',
  severities: ['warning'],
  why: 'Otherwise an attacker can make two sessions share their keys, and impersonate a client (RFC 7627).',
  fix: "Update the server's TLS library.",
  check: ({ extendedMasterSecret: bound }) =>
    bound === false
      ? { severity: 'warning', evidence: "it doesn't agree to extended_master_secret before TLS 1.3" }
      : null,
};

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
