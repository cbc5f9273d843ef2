/** The exit codes of the command. */
import { exitCodes } from './exit-code-table.js';

/** Exit code of successful checks with findings. */
export const FOUND = 3;

const UNEXPECTED = 1;
const TIMEOUT = 28;

/** The exit code of an error, by its `code`. */
export function exitCodeOf(error: unknown): number {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return UNEXPECTED;
  if (code === 'KNSOCK_CERTIFICATE_UNREACHABLE') return whyUnreachable((error as Error).cause);
  return exitCodes.find(({ causes }) => causes.includes(code))?.code ?? UNEXPECTED;
}

/** The exit code for a server whose certificate couldn't be read, by Node's error. */
function whyUnreachable(cause: unknown): number {
  const { code = '', name } = (cause ?? {}) as { code?: string; name?: string };
  if (name === 'TimeoutError' || code === 'ETIMEDOUT') return TIMEOUT;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return exitCodeOf({ code: 'KNSOCK_HOST_NOT_FOUND' });
  const unreached = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EACCES', 'EPERM'];
  if (unreached.includes(code)) return exitCodeOf({ code: 'KNSOCK_CONNECTION_REFUSED' });
  return exitCodeOf({ code: 'KNSOCK_HANDSHAKE_OTHER' });
}
