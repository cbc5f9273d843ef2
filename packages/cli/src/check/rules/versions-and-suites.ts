/** Versions of TLS, and the cipher suites in them. */
import { isTls13Suite } from '../probing/suites.js';
import type { EndpointRule } from '../rule.js';

export const minimumTls: EndpointRule = {
  id: 'minimum-tls',
  title: 'TLS 1.2 is the oldest version',
  severities: ['error'],
  why: 'SSL 2.0 and 3.0 are broken; TLS 1.0 and 1.1 depend on MD5 and SHA-1 and are deprecated (RFC 8996).',
  fix: "Set the server's minimum to TLS 1.2; it is the default of knsock serve.",
  check: ({ versions }) => {
    const old = versions.map(({ version }) => version).filter((version) => version < 'TLSv1.2');
    return old.length === 0 ? null : { severity: 'error', evidence: `it accepts ${old.join(' and ')}` };
  },
};

export const tls13: EndpointRule = {
  id: 'tls13',
  title: 'TLS 1.3 is offered',
  severities: ['warning'],
  why: 'TLS 1.3 connects faster, encrypts certificates and has no weak suites.',
  fix: "Update the server's TLS library, or stop limiting it to 1.2.",
  check: ({ versions }) => {
    const spoken = versions.map(({ version }) => version);
    if (spoken.includes('TLSv1.3')) return null;
    return { severity: 'warning', evidence: `it accepts ${spoken.join(', ') || 'no version'} only` };
  },
};

export const fallback: EndpointRule = {
  id: 'fallback',
  title: "clients can't be downgraded to an older version",
  severities: ['warning'],
  why: 'An attacker in the middle can abort handshakes until an old client tries an older version (RFC 7507).',
  fix: "Update the server's TLS library, or allow one version only.",
  check: ({ fallbackProtected }) =>
    fallbackProtected === false
      ? { severity: 'warning', evidence: 'it went on although the client said that it had fallen back' }
      : null,
};

const STRONG = /^TLS_(ECDHE|DHE)_(RSA|ECDSA|DSS)_WITH_.*(GCM|CHACHA20_POLY1305|CCM)/;

export const ciphers: EndpointRule = {
  id: 'ciphers',
  title: 'every suite has forward secrecy and authenticated encryption',
  severities: ['error'],
  why: 'Without forward secrecy a key stolen later decrypts traffic recorded today; CBC and RC4 suites have been broken in practice.',
  fix: 'Allow only ECDHE with AES-GCM or ChaCha20-Poly1305, the default of knsock serve.',
  check: ({ versions }) => {
    const all = new Map(versions.flatMap(({ suites }) => suites).map((suite) => [suite.name, suite]));
    const weak = [...all.values()].filter((suite) => !isTls13Suite(suite) && !STRONG.test(suite.name));
    return weak.length === 0
      ? null
      : { severity: 'error', evidence: `it accepts ${weak.map(({ name }) => name).join(', ')}` };
  },
};

export const serverPreference: EndpointRule = {
  id: 'server-preference',
  title: 'the server chooses the cipher suite',
  severities: ['notice'],
  why: 'Otherwise the order of an old client may choose the weakest common suite.',
  fix: "Enable the server's own order (honorCipherOrder, ssl_prefer_server_ciphers).",
  check: ({ serverPreference }) =>
    serverPreference === false
      ? { severity: 'notice', evidence: 'it took the suite that the client named first' }
      : null,
};
