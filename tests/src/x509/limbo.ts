import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  verifyPathSync,
  type PathVerdict,
  type PolicyOptions,
  type RevocationPolicyOptions,
} from '@knsock/core/x509';

/** A name that a case expects the peer to have. */
interface LimboName {
  readonly kind: 'DNS' | 'IP' | 'RFC822';
  readonly value: string;
}

/** One case of the exam; `tests/corpora/x509-limbo/README.md` describes the fields. */
export interface LimboCase {
  readonly id: string;
  readonly validation_kind: 'SERVER' | 'CLIENT';
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  /** PEM; null where the exam keeps it to itself. */
  readonly peer_certificate_key: string | null;
  readonly validation_time: string | null;
  readonly expected_result: 'SUCCESS' | 'FAILURE';
  readonly expected_peer_name: LimboName | null;
  readonly expected_peer_names: readonly LimboName[];
  readonly max_chain_depth: number | null;
  readonly crls: readonly string[];
  /** What other suites ask besides. */
  readonly policies?: PolicyOptions;
  readonly revocation?: RevocationPolicyOptions;
}

/** The exam's cases, in the order of the corpus. */
export function limboCases(): LimboCase[] {
  const packed = readFileSync(new URL('../../corpora/x509-limbo/limbo.json.gz', import.meta.url));
  return (JSON.parse(gunzipSync(packed).toString()) as { testcases: LimboCase[] }).testcases;
}

/** Every name that the peer must have. */
export function namesOf({ expected_peer_name: one, expected_peer_names: several }: LimboCase): string[] {
  return [one, ...several].flatMap((name) => (name ? [name.value] : []));
}

/** Our verdict on a case; every name it expects has to match. */
export function judgeCase(limbo: LimboCase, rules: 'private' | 'web'): PathVerdict {
  const names = namesOf(limbo);
  const verdicts = (names.length > 0 ? names : [undefined]).map((name) => judgeFor(limbo, rules, name));
  return verdicts.find(({ ok }) => !ok) ?? (verdicts[0] as PathVerdict);
}

function judgeFor(limbo: LimboCase, rules: 'private' | 'web', name: string | undefined): PathVerdict {
  return verifyPathSync({
    leaf: limbo.peer_certificate,
    intermediates: limbo.untrusted_intermediates,
    anchors: limbo.trusted_certs,
    at: limbo.validation_time === null ? undefined : new Date(limbo.validation_time),
    name,
    usage: limbo.validation_kind === 'SERVER' ? 'server' : 'client',
    crls: limbo.crls,
    maxDepth: limbo.max_chain_depth ?? undefined,
    policies: limbo.policies,
    revocation: limbo.revocation,
    rules,
  });
}
