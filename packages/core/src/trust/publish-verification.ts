import { channels } from '../observe/channels.js';
import type { VerificationResult } from './peer-verifier.js';

/** Tells whoever listens how a peer was judged. */
export function publishVerification(
  role: 'client' | 'server',
  address: string,
  result: VerificationResult,
  resumed: boolean,
): void {
  if (!channels.verdict.hasSubscribers) return;
  channels.verdict.publish({
    role,
    address,
    ok: result.ok,
    reason: result.ok ? null : result.error.reason,
    subject: result.peer?.subject ?? null,
    resumed,
  });
}
