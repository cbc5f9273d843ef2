import type { EndpointRule } from '../rule.js';
import { isTls13Suite } from '../probing/suites.js';

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
