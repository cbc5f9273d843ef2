import { printable } from '../errors/printable.js';
import type { PeerReason } from '../errors/reason.js';
import type { X509Certificate } from './certificate.js';

/** Why a path isn't trusted. */
export interface Failure {
  readonly ok: false;
  /** Why, as a stable word. */
  readonly reason: PeerReason;
  /** The place of the certificate at fault on the path: 1 is the peer's own, 2 its issuer, and so on. */
  readonly position: number;
  /** A sentence with the evidence: subject, issuer, dates, names. */
  readonly message: string;
  /** The certificate at fault; undefined where it couldn't be read. */
  readonly certificate: X509Certificate | undefined;
  /** What to try, where the reason alone would say something else. */
  readonly hint?: string | undefined;
}

/** Says what is wrong with `path[depth]`; `problem` completes "certificate 1 of 3 (subject) …". */
export function failure(
  reason: PeerReason,
  path: readonly X509Certificate[],
  depth: number,
  problem: string,
  hint?: string,
): Failure {
  const certificate = path[depth];
  const subject = certificate ? showSubject(certificate) : 'that could not be read';
  const position = depth + 1;
  const message = printable(`certificate ${position} of ${path.length} (${subject}) ${problem}`);
  return { ok: false, reason, position, message, certificate, ...(hint !== undefined && { hint }) };
}

/** The name by which people know a certificate: its subject, or failing that its first alternative name. */
export function showSubject(certificate: X509Certificate): string {
  if (!certificate.subject.isEmpty) return shortened(certificate.subject.toString());
  const [name] = [
    ...certificate.dnsNames,
    ...certificate.ipAddresses,
    ...certificate.uris,
    ...certificate.emailAddresses,
  ];
  return shortened(name ?? `serial ${certificate.serial}`);
}

/** A list for a sentence, bounded however many there are. */
export function showList(items: readonly string[]): string {
  const shown = items.slice(0, 8).map(shortened).join(', ');
  return items.length > 8 ? `${shown} and ${(items.length - 8).toLocaleString('en')} more` : shown || 'none';
}

export const shortened = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text);
