/** Checks a running server. */
import { connect, raw } from '@knsock/core';
import {
  parseCertificate,
  verifyPath,
  type CertificateRevocationList,
  type PolicyOptions,
  type RevocationPolicyOptions,
  type X509Certificate,
} from '@knsock/core/x509';
import { UsageError } from '../usage-error.js';
import { chainEvidence } from './chain-evidence.js';
import type { EndpointEvidence } from './endpoint-evidence.js';
import { endpointFacts } from './endpoint-facts.js';
import { judge, merged, type TargetReport } from './findings.js';
import type { Endpoint } from './probing/endpoint.js';
import { admits, chainOf, plainTextManners, renegotiates, resumption } from './probing/handshakes.js';
import { survey } from './probing/survey.js';
import { chainRules, endpointRules } from './rules.js';
import type { TrustResult } from './trust-result.js';

/** How the chain is verified. */
export interface EndpointTrust {
  /** The clients' trust anchors; null: Node's own roots. */
  readonly anchors: readonly X509Certificate[] | null;
  readonly at: Date;
  /** Without any, revocation isn't checked. */
  readonly crls: readonly CertificateRevocationList[];
  readonly revocation: RevocationPolicyOptions | undefined;
  readonly policies: PolicyOptions | undefined;
}

/**
 * @throws the error of a client, if the server can't be reached or doesn't speak TLS
 */
export async function checkEndpoint(endpoint: Endpoint, trust: EndpointTrust): Promise<TargetReport> {
  const { anchors, at, crls } = trust;
  const surveyed = await survey(endpoint);
  if (surveyed.versions.length === 0) throw await whyNot(endpoint);
  const chain = (await chainOf(endpoint)).map((der) => parseCertificate(der));
  const anonymous = await admits(endpoint);
  const evidence: EndpointEvidence = {
    ...surveyed,
    renegotiation: await renegotiates(endpoint),
    // Resumption can only be tested if we are accepted.
    resumption: anonymous ? await resumption(endpoint) : undefined,
    admitsAnonymous: anonymous,
    admitsStrangers: anonymous ? undefined : await admitsStrangers(endpoint),
    plainText: await plainTextManners(endpoint),
    verdict: await verdictOn(chain, endpoint, trust),
  };
  const target = `${endpoint.host}:${endpoint.port}`;
  const report = merged([
    judge(target, endpointRules, evidence),
    judge(
      target,
      chainRules,
      chainEvidence({
        chain,
        at,
        isOwn: true,
        anchors: anchors ?? [],
        hasCrl: crls.length > 0,
      }),
    ),
  ]);
  return { ...report, facts: endpointFacts(evidence) };
}

/** With a fresh certificate that no CA has signed. */
async function admitsStrangers(endpoint: Endpoint): Promise<boolean> {
  const { createSelfSigned } = await import('@knsock/certs');
  const { certificate, key } = await createSelfSigned({
    kind: 'client',
    names: ['stranger.invalid'],
    days: 1,
  });
  return admits(endpoint, { cert: certificate, key });
}

async function verdictOn(
  [leaf, ...intermediates]: readonly X509Certificate[],
  { host, servername }: Endpoint,
  { anchors, at, crls, revocation, policies }: EndpointTrust,
): Promise<TrustResult> {
  if (leaf === undefined) return { ok: false, words: 'it sent no certificate' };
  const trusted = anchors ?? (await defaultAnchors());
  const name = servername ?? host;
  const verdict = await verifyPath({
    ...{ leaf, intermediates, anchors: trusted, at, name, crls, revocation, policies },
    usage: 'server',
  });
  return verdict.ok ? { ok: true } : { ok: false, words: `${verdict.reason}: ${verdict.message}` };
}

async function defaultAnchors(): Promise<X509Certificate[]> {
  const { rootCertificates } = await import('node:tls');
  return rootCertificates.map((pem) => parseCertificate(pem));
}

/** No ClientHello was answered: connecting with knsock's client shows why. */
async function whyNot({ host, port, timeout }: Endpoint): Promise<Error> {
  try {
    const options = { host, port, framing: raw(), connectTimeout: timeout };
    (await connect({ ...options, dangerouslySkipVerification: true })).destroy();
  } catch (error) {
    return error as Error;
  }
  const hint = 'Is it running there, and does it speak TLS on that port?';
  return new UsageError(`no TLS handshake with ${host}:${port} succeeded`, hint, 'KNSOCK_HANDSHAKE_OTHER');
}
