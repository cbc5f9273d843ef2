import type { ChainRule } from '../rule.js';

export const chainOrder: ChainRule = {
  id: 'chain-order',
  title: 'the chain is whole and in order',
  severities: ['error'],
  why: 'Clients without the missing certificate, or that follow the order strictly, can’t build the path.',
  fix: 'Order the file leaf first, then each issuer: knsock certs convert --to chain.',
  check: ({ chain }) => {
    for (const [index, certificate] of chain.entries()) {
      const next = chain[index + 1];
      if (next === undefined || certificate.issuer.equals(next.subject)) continue;
      const evidence = `${certificate.subject.toString()} was issued by ${certificate.issuer.toString()}, and ${next.subject.toString()} follows`;
      return { severity: 'error', evidence };
    }
    return null;
  },
};
