/** The possible causes where a server ends a connection before it has sent a byte, the likeliest by the evidence first. */
import { EarlyEndError, type EarlyEndCause } from '../errors/index.js';

/** The evidence of such an end. */
export interface EarlyEndEvidence {
  /** The target of the connection. */
  readonly address: string;
  /** Our framing, and whether the server agreed to it by ALPN. */
  readonly framing: string;
  readonly agreed: boolean;
  /** Whether the server requested our certificate. */
  readonly asked: boolean;
  /** The subject of the certificate that we showed; null for none. */
  readonly shown: string | null;
  /** Whether session tickets arrived: servers send them to clients whose certificate they accepted. */
  readonly tickets: boolean;
}

/** The evidence of an end before the first byte that may not be a failure. */
export interface SilentEnd extends EarlyEndEvidence {
  readonly version: string;
  readonly resumed: boolean;
  /** Whether a caller waits for an answer. */
  readonly awaited: boolean;
}

/**
 * Under TLS 1.3 a server that refuses our certificate without an alert just ends, or resets, before its first ticket and
 * byte: 200 of 200 refusals looked like this, and no acceptance did. Without such signs a silent end is a failure only where
 * a caller waits for an answer: a server that only receives may end silently.
 */
export function explainSilence(end: SilentEnd, error: Error | undefined): EarlyEndError | null {
  if (!isSilent(error)) return null;
  const isAtOnce = end.version === 'TLSv1.3' && !end.tickets && !end.resumed;
  return isAtOnce || end.awaited ? earlyEnd(end, error) : null;
}

/** A client that is still sending is reset by the server that refused it; any other error is more specific. */
function isSilent(error: Error | undefined): boolean {
  return error === undefined || ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** The likeliest first. A server that requested no certificate refused none. */
export function possibleCauses({ agreed, asked, tickets }: EarlyEndEvidence): readonly EarlyEndCause[] {
  const others: readonly EarlyEndCause[] = agreed ? ['handler'] : ['framing', 'handler'];
  if (!asked) return others;
  return tickets ? [...others, 'client-certificate'] : ['client-certificate', ...others];
}

export function earlyEnd(evidence: EarlyEndEvidence, cause: Error | undefined): EarlyEndError {
  const causes = possibleCauses(evidence);
  const readings = causes.map((one) => words[one](evidence)).join('; or ');
  const message = `${evidence.address} ended the connection before it sent anything: probably ${readings}`;
  const hints = causes.map((one) => questions[one](evidence)).join(' ');
  return new EarlyEndError(causes, message, { cause, hint: `${hints} The server's log says more.` });
}

const words: Readonly<Record<EarlyEndCause, (evidence: EarlyEndEvidence) => string>> = {
  'client-certificate': ({ shown }) =>
    shown === null
      ? "it requires a client certificate, which it asked for and we didn't show"
      : `it refused our certificate (${shown})`,
  framing: ({ framing }) => `it speaks another framing than ${framing}`,
  handler: () => 'its handler failed or ended the connection',
};

const questions: Readonly<Record<EarlyEndCause, (evidence: EarlyEndEvidence) => string>> = {
  'client-certificate': ({ shown }) =>
    shown === null
      ? 'Does the server require a client certificate (certFile and keyFile)?'
      : 'Does the server trust the CA of our certificate, and do its rules admit it?',
  framing: () => 'Do both sides use the same framing?',
  handler: () => "Did the server's handler fail?",
};
