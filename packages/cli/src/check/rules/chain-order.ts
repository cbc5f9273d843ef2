import { mayHaveIssued } from '@knsock/core/x509';
import type { ChainRule } from '../rule.js';

export const chainOrder: ChainRule = {
  id: 'chain-order',
  title: 'the chain is complete and in order',
  severities: ['error', 'warning'],
  why: 'Clients that lack the missing certificate, or require the order, can’t build the path.',
  fix: 'Order the file leaf first, then each issuer: knsock certs convert --to chain.',
  check: ({ own, anchors }) => {
    const warning = own?.warnings.find(({ reason }) => reason === 'chain');
    if (own === null || warning === undefined) return null;
    const leaf = own.chain[0];
    // Without its issuer a client that has the root alone finds no path.
    const isWhole =
      own.chain.length > 1 ||
      leaf === undefined ||
      [leaf, ...anchors].some((issuer) => mayHaveIssued(issuer, leaf));
    return { severity: isWhole ? 'warning' : 'error', evidence: warning.message };
  },
};
