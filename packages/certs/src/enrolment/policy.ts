/** The program's own decision on a request, in addition to its token or certificate. */
import { withDeadline } from '@knsock/core/options';
import type { X509Certificate } from '@knsock/core/x509';
import type { CertificateKind } from '../issuing/extensions.js';
import { signalFailed } from '../signal-failed.js';
import { EnrolmentRefusal } from './refusal.js';

/** A request that its token or certificate allows, as it would be granted. */
export interface EnrolmentRequest {
  /** Authorised by a token, or by the certificate being renewed. */
  readonly operation: 'enroll' | 'renew';
  /** What the certificate would be for. */
  readonly kind: CertificateKind;
  /** Every name that the certificate would contain. */
  readonly names: readonly string[];
  /** The requested common name. */
  readonly commonName: string | undefined;
  /** Validity of the certificate, already capped. */
  readonly days: number;
  /** The token's id; undefined for renewals. */
  readonly token: string | undefined;
  /** The certificate being renewed; undefined for tokens. */
  readonly certificate: X509Certificate | undefined;
  /** SHA-256 of the request's SubjectPublicKeyInfo, hex. */
  readonly key: string;
  /** The client's address. */
  readonly from: string;
}

/** `days` can only shorten the validity. `reason` goes to the client and to the log. */
export type PolicyDecision =
  | { readonly allow: true; readonly days?: number | undefined }
  | { readonly allow: false; readonly reason?: string | undefined };

/** Decides on a request. Anything that is no decision, a failure and a timeout refuse it too, and the client may retry. */
export type EnrolmentPolicy = (
  request: EnrolmentRequest,
  context: { readonly signal: AbortSignal },
) => PolicyDecision | Promise<PolicyDecision>;

const TIMEOUT_MS = 10_000;

/**
 * The validity that the policy grants, in days.
 * @throws EnrolmentRefusal `policy` if it refuses, `policy-failed` if it doesn't decide
 */
export async function askPolicy(
  policy: EnrolmentPolicy | undefined,
  request: EnrolmentRequest,
): Promise<number> {
  if (policy === undefined) return request.days;
  const decision = await decide(policy, request);
  if (!decision.allow) {
    const { reason } = decision as { reason?: unknown };
    const why = typeof reason === 'string' && reason !== '' ? `: ${reason}` : '';
    throw new EnrolmentRefusal('policy', `the policy refuses the request${why}`);
  }
  const { days = request.days } = decision as { days?: unknown };
  if (!(typeof days === 'number' && days > 0))
    throw new EnrolmentRefusal('policy-failed', `the policy grants ${String(days)} days, which is no life`);
  return Math.min(days, request.days);
}

async function decide(
  policy: EnrolmentPolicy,
  request: EnrolmentRequest,
): Promise<{ readonly allow: boolean }> {
  try {
    const decision: unknown = await withDeadline({
      ms: TIMEOUT_MS,
      run: (signal) => policy(request, { signal }),
      signalFailed: signalFailed('a policy'),
      late: () => new Error(`it didn't decide within ${TIMEOUT_MS.toLocaleString('en')} ms`),
    });
    if (isDecision(decision)) return decision;
    throw new TypeError('a decision is { allow: true } or { allow: false, reason }');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EnrolmentRefusal('policy-failed', `the policy failed: ${why}`);
  }
}

function isDecision(value: unknown): value is { readonly allow: boolean } {
  return typeof value === 'object' && value !== null && 'allow' in value && typeof value.allow === 'boolean';
}
