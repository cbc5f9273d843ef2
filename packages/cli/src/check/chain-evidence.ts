import { arrangeOwnChain } from '@knsock/core/x509';
import type { ChainEvidence } from './rule.js';

/** The facts about a chain, with the chain as its owner would send it. */
export function chainEvidence(found: Omit<ChainEvidence, 'own'>): ChainEvidence {
  const { chain, at, isOwn, anchors } = found;
  const isOfAuthorities = !isOwn && chain.every(({ basicConstraints }) => basicConstraints?.ca === true);
  if (chain.length === 0 || isOfAuthorities) return { ...found, own: null };
  return { ...found, own: arrangeOwnChain(chain, { file: undefined, anchors, now: at.getTime() }) };
}
