import { mayHaveIssued, type X509Certificate } from '@knsock/core/x509';
import type { ChainRule } from '../rule.js';

export const chainOrder: ChainRule = {
  id: 'chain-order',
  title: 'the chain is complete and in order',
  severities: ['error', 'warning'],
  why: 'Clients that lack the missing certificate, or require the order, can’t build the path.',
  fix: 'Order the file leaf first, then each issuer: knsock certs convert --to chain.',
  check: ({ chain }) => {
    const [leaf, ...others] = chain;
    if (leaf === undefined) return null;
    // Twins of a CA, such as cross-signed ones, may all stand there.
    const stranger = others.find(
      (one, index) => !chain.slice(0, index + 1).some((earlier) => isIssuer(one, earlier)),
    );
    if (stranger === undefined) return null;
    const isWhole = others.some((one) => isIssuer(one, leaf));
    const isTwice = chain.filter(({ der }) => der.equals(stranger.der)).length > 1;
    const what = isTwice ? 'stands there twice' : 'issued none of those before it';
    const evidence = `${stranger.subject.toString()} ${what}`;
    return { severity: isWhole ? 'warning' : 'error', evidence };
  },
};

function isIssuer(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return !issuer.der.equals(certificate.der) && mayHaveIssued(issuer, certificate);
}
