/** Checks a server that listens. */
import { parseCertificate, verifyPath, type X509Certificate } from '@knsock/core/x509';
import { judge, merged, type TargetReport } from './findings.js';
import { probeEndpoint, type Endpoint } from './probes.js';
import { chainRules, endpointRules } from './rules.js';
import type { Verdict } from './verdict.js';

/** @param anchors whom clients trust; null: Node's own roots */
export async function checkEndpoint(
  endpoint: Endpoint,
  anchors: readonly X509Certificate[] | null,
  at: Date,
): Promise<TargetReport> {
  const { chain: ders, evidence } = await probeEndpoint(endpoint);
  const chain = ders.map((der) => parseCertificate(der));
  const target = `${endpoint.host}:${endpoint.port}`;
  const verdict = await verdictOn(chain, endpoint, anchors, at);
  return merged([
    judge(target, endpointRules, { ...evidence, verdict }),
    judge(target, chainRules, { chain, at, hasCrl: false }),
  ]);
}

async function verdictOn(
  [leaf, ...intermediates]: readonly X509Certificate[],
  { host, servername }: Endpoint,
  anchors: readonly X509Certificate[] | null,
  at: Date,
): Promise<Verdict> {
  if (leaf === undefined) return { ok: false, words: 'it showed no certificate' };
  const trusted = anchors ?? (await defaultAnchors());
  const name = servername ?? host;
  const verdict = await verifyPath({ leaf, intermediates, anchors: trusted, at, name, usage: 'server' });
  return verdict.ok ? { ok: true } : { ok: false, words: `${verdict.reason}: ${verdict.message}` };
}

async function defaultAnchors(): Promise<X509Certificate[]> {
  const { rootCertificates } = await import('node:tls');
  return rootCertificates.map((pem) => parseCertificate(pem));
}
