/** Why the command ended, as a number: curl's where curl has one for the cause. */

export interface ExitCode {
  readonly code: number;
  readonly meaning: string;
  /** The error codes, or their beginnings, that lead to it. */
  readonly causes: readonly string[];
}

/** Every exit code; an error takes the first line that names it, the longest beginning first. */
export const exitCodes: readonly ExitCode[] = [
  { code: 0, meaning: 'Done.', causes: [] },
  { code: 1, meaning: 'Something unexpected: please report it, with --debug.', causes: [] },
  {
    code: 2,
    meaning: 'Wrong use: an unknown command or option, a missing or impossible value.',
    causes: [
      'KNSOCK_USAGE',
      'KNSOCK_INVALID_OPTION',
      'KNSOCK_CERTIFICATE_NAME',
      'KNSOCK_CERTIFICATE_SUBJECT',
      'KNSOCK_CERTIFICATE_VALIDITY',
    ],
  },
  { code: 3, meaning: 'A check found something at or above --fail-on.', causes: [] },
  { code: 6, meaning: 'The host name can’t be resolved (DNS).', causes: ['KNSOCK_HOST_NOT_FOUND'] },
  {
    code: 7,
    meaning: 'The host can’t be connected to: refused, unreachable, not permitted.',
    causes: [
      'KNSOCK_CONNECTION_REFUSED',
      'KNSOCK_NETWORK_UNREACHABLE',
      'KNSOCK_CONNECTION_FAILED',
      'KNSOCK_LIMIT_REACHED',
      'KNSOCK_SERVER_DRAINING',
    ],
  },
  {
    code: 8,
    meaning: 'The peer breaks the protocol: framing mismatch, malformed or truncated message, invalid JSON.',
    causes: [
      'KNSOCK_FRAMING_MISMATCH',
      'KNSOCK_MALFORMED_FRAME',
      'KNSOCK_PROXY_HEADER',
      'KNSOCK_TRUNCATED_MESSAGE',
      'KNSOCK_INVALID_JSON',
    ],
  },
  {
    code: 22,
    meaning: 'The peer answered with an error, or didn’t start the request.',
    causes: ['KNSOCK_REMOTE_HANDLER', 'KNSOCK_REQUEST_NOT_STARTED'],
  },
  {
    code: 23,
    meaning: 'A file can’t be written, or is there already.',
    causes: ['KNSOCK_CERTIFICATE_EXISTS', 'KNSOCK_CERTIFICATE_LOCKED', 'KNSOCK_WRITE'],
  },
  { code: 26, meaning: 'A file of input can’t be read.', causes: ['KNSOCK_READ'] },
  { code: 28, meaning: 'A time limit passed; the error says which.', causes: ['KNSOCK_CONNECT_TIMEOUT'] },
  {
    code: 35,
    meaning: 'The TLS handshake failed, or the other side doesn’t speak TLS.',
    causes: ['KNSOCK_HANDSHAKE_'],
  },
  {
    code: 45,
    meaning: 'The address can’t be listened on: in use, not permitted, not this machine’s.',
    causes: ['KNSOCK_PORT_IN_USE', 'KNSOCK_PERMISSION_DENIED', 'KNSOCK_ADDRESS_NOT_AVAILABLE'],
  },
  {
    code: 56,
    meaning: 'The connection was lost.',
    causes: [
      'KNSOCK_CONNECTION_ENDED_EARLY',
      'KNSOCK_CONNECTION_RESET',
      'KNSOCK_CONNECTION_CLOSED',
      'KNSOCK_QUEUE_FULL',
    ],
  },
  {
    code: 58,
    meaning: 'Our own certificate, key, CA or revocation list can’t be used.',
    causes: ['KNSOCK_CREDENTIALS_', 'KNSOCK_CERTIFICATE_', 'KNSOCK_MALFORMED_DER'],
  },
  { code: 60, meaning: 'The peer’s certificate isn’t trusted.', causes: ['KNSOCK_PEER_'] },
  { code: 63, meaning: 'A message is larger than allowed.', causes: ['KNSOCK_MESSAGE_TOO_LARGE'] },
  {
    code: 67,
    meaning: 'The peer refused us: our certificate, or that we showed none.',
    causes: ['KNSOCK_CLIENT_CERTIFICATE_REFUSED', 'KNSOCK_HANDSHAKE_CERTIFICATE_'],
  },
  { code: 90, meaning: 'The peer’s key isn’t a pinned one.', causes: ['KNSOCK_PEER_PIN_MISMATCH'] },
  {
    code: 91,
    meaning: 'The peer’s certificate is revoked, or that can’t be ruled out.',
    causes: ['KNSOCK_PEER_REVOKED', 'KNSOCK_PEER_REVOCATION_UNKNOWN', 'KNSOCK_PEER_CRL_STALE'],
  },
];

/** What checks exit with that did their work and found something. */
export const FOUND = 3;

const TIMEOUT = 28;

/** The exit code of an error, by its `code`. */
export function exitCodeOf(error: unknown): number {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return 1;
  if (/^KNSOCK_.*_TIMEOUT$/.test(code)) return TIMEOUT;
  if (code === 'KNSOCK_CERTIFICATE_UNREACHABLE') return whyUnreachable((error as Error).cause);
  let best = { length: 0, exit: 1 };
  for (const { code: exit, causes } of exitCodes) {
    for (const cause of causes) {
      const fits = code === cause || (cause.endsWith('_') && code.startsWith(cause));
      if (fits && cause.length > best.length) best = { length: cause.length, exit };
    }
  }
  return best.exit;
}

/** A server whose certificate was to be looked at: what stood in the way, as Node calls it. */
function whyUnreachable(cause: unknown): number {
  const { code = '', name } = (cause ?? {}) as { code?: string; name?: string };
  if (name === 'TimeoutError' || code === 'ETIMEDOUT') return TIMEOUT;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return exitCodeOf({ code: 'KNSOCK_HOST_NOT_FOUND' });
  const unreached = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EACCES', 'EPERM'];
  if (unreached.includes(code)) return exitCodeOf({ code: 'KNSOCK_CONNECTION_REFUSED' });
  return exitCodeOf({ code: 'KNSOCK_HANDSHAKE_OTHER' });
}
