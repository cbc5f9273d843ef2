import { certificateWeakness } from '@knsock/core/x509';
import type { ChainRule } from '../rule.js';

export const strongKeys: ChainRule = {
  id: 'strong-keys',
  title: 'keys and signatures are strong',
  severities: ['error', 'warning'],
  why: 'A weak key can be computed from the certificate, and a SHA-1 signature can be forged; current peers refuse both.',
  fix: 'Create a new key: P-256, or RSA of 2,048 bits or more, signed with SHA-256 or better (knsock certs issue).',
  check: ({ chain, own, isShown }) => {
    if (own?.refusal !== undefined) return { severity: 'error', evidence: own.refusal };
    // A server of ours leaves it out; one that showed it didn't.
    const left = own?.warnings.find(({ reason }) => reason === 'weak');
    if (own !== null && !isShown) return left ? { severity: 'warning', evidence: left.message } : null;
    for (const certificate of chain) {
      const weakness = certificateWeakness(certificate);
      if (weakness !== undefined) {
        return { severity: 'error', evidence: `${certificate.subject.toString()} ${weakness}` };
      }
    }
    return null;
  },
};
