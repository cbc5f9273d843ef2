import { channels } from '../observe/channels.js';
import type { Verdict } from './verdict.js';

/** Tells whoever listens how a peer was judged. */
export function tellVerdict(
  role: 'client' | 'server',
  address: string,
  verdict: Verdict,
  resumed: boolean,
): void {
  if (!channels.verdict.hasSubscribers) return;
  channels.verdict.publish({
    role,
    address,
    ok: verdict.ok,
    reason: verdict.ok ? null : verdict.error.reason,
    subject: verdict.peer?.subject ?? null,
    resumed,
  });
}
