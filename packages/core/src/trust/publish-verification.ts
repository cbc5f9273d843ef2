import { channels } from '../observe/channels.js';
import type { VerificationResult } from './peer-verifier.js';

/** Publishes the result of a verification. */
export function publishVerification(
  role: 'client' | 'server',
  peer: { readonly address: string },
  result: VerificationResult,
  resumed: boolean,
): void {
  if (!channels.verdict.hasSubscribers) return;
  channels.verdict.publish({
    role,
    address: peer.address,
    ok: result.ok,
    reason: result.ok ? null : result.error.reason,
    subject: result.peer?.subject ?? null,
    resumed,
  });
}
