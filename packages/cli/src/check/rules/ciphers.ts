import type { EndpointRule } from '../rule.js';

const STRONG = /^(ECDHE|DHE)-.*(GCM|CHACHA20)/;

export const ciphers: EndpointRule = {
  id: 'ciphers',
  title: 'every suite has forward secrecy and authenticated encryption',
  why: 'Without forward secrecy a key stolen later opens what was recorded today; CBC and RC4 suites have been broken in practice.',
  fix: 'Allow ECDHE with AES-GCM or ChaCha20-Poly1305 only; knsock serve does by default.',
  check: ({ suites }) => {
    const weak = suites.filter((suite) => !STRONG.test(suite));
    return weak.length === 0 ? null : { severity: 'error', evidence: `it accepts ${weak.join(', ')}` };
  },
};
