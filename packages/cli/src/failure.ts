/** How an error is printed: what failed, why, one hint, its code. A stack trace only with --debug. */
import { EasySocketError, printable } from '@knsock/core/errors';
import { commandName } from './command-name.js';
import { exitCodeOf } from './exit-codes.js';
import { hintOf } from './hints.js';
import type { Output } from './output.js';
import { asUnreadable, type GivenFiles } from './unreadable.js';
import { UsageError } from './usage-error.js';

/** An error as text. */
export interface Failure {
  readonly message: string;
  /** The message of the system, OpenSSL or the peer, if it adds something. */
  readonly cause: string | undefined;
  readonly hint: string;
  readonly code: string;
  readonly exitCode: number;
}

const UNEXPECTED = 'Run it again with --debug and report what it prints: this is likely a fault of knsock.';

/** Describes an error; `command` is the one that failed. */
export function describeFailure(thrown: unknown, command = '', given: GivenFiles = new Map()): Failure {
  const error = workingDirectoryGone(thrown) ?? asUnreadable(thrown, given);
  const known = isKnown(error);
  const code = known ? error.code : 'KNSOCK_UNEXPECTED';
  return {
    message: withFlag(
      error,
      flagged(error, error instanceof Error ? error.message : String(error), command),
      given,
    ),
    cause: causeOf(error),
    hint: known ? hintFor(error, command) : UNEXPECTED,
    code,
    exitCode: exitCodeOf(error),
  };
}

/** Node's own error for relative paths has neither a path nor a word about the reason. */
function workingDirectoryGone(error: unknown): UsageError | undefined {
  if ((error as { syscall?: unknown } | null)?.syscall !== 'uv_cwd') return undefined;
  const hint = 'Change to one that exists, or give absolute paths.';
  return new UsageError('the working directory was deleted', hint, 'KNSOCK_READ');
}

/** The flag that named the file at fault. */
function withFlag(error: unknown, message: string, given: GivenFiles): string {
  const { file } = (error ?? {}) as { file?: unknown };
  const flag = typeof file === 'string' ? (given.get(file) ?? '') : '';
  return message.includes(flag) ? message : `${flag}: ${message}`;
}

/** The library's messages name its options; users of the command know flags. */
function flagged(error: unknown, message: string, command: string): string {
  const { code, option } = (error ?? {}) as { code?: unknown; option?: unknown };
  if (code !== 'KNSOCK_INVALID_OPTION' || typeof option !== 'string') return message;
  const flag = flagOf(option, command);
  if (flag === undefined) return message;
  // Alone: a value in the message may contain the same word.
  const alone = new RegExp(`(?<![^\\s(])${option.replaceAll('.', '\\.')}(?![\\w/@-])`, 'g');
  const named = message
    .replace(alone, flag)
    .replace(/\b(ca|cert|crl|key|pfx)File\b/g, (one) => flags[one] ?? one);
  return named.includes(flag) ? named : `${flag}: ${named}`;
}

function flagOf(option: string, command: string): string | undefined {
  const timeout = option === 'connectTimeout' && / (check|expiry)$/.test(command);
  if (timeout) return '--timeout';
  return Object.hasOwn(flags, option) ? flags[option] : undefined;
}

const flags: Readonly<Record<string, string>> = {
  handshakeTimeout: '--handshake-timeout',
  firstMessageTimeout: '--first-message-timeout',
  idleTimeout: '--idle-timeout',
  maxLifetime: '--max-lifetime',
  drainTimeout: '--drain-timeout',
  maxConnections: '--max-connections',
  maxConnectionsPerAddress: '--max-connections-per-address',
  acceptRate: '--accept-rate',
  maxQueuedBytes: '--max-queued',
  maxRequestsInFlight: '--max-requests',
  maxMessageBytes: '--max-message',
  connectTimeout: '--connect-timeout',
  requestTimeout: '--timeout',
  allow: '--allow-from',
  deny: '--deny-from',
  'proxyProtocol.from': '--proxy-protocol-from',
  pins: '--pin',
  clientCertificates: '--client-cert',
  permit: '--permit',
  caFile: '--ca',
  crlFile: '--crl',
  certFile: '--cert',
  keyFile: '--key',
  pfxFile: '--pfx',
  pfxKeyName: '--pfx-key-name',
  expiresIn: '--expires',
  directory: '--acme-directory',
  proxy: '--acme-proxy (or HTTPS_PROXY)',
  email: '--acme-email',
  'eab.hmacKey': 'the key in the file of --acme-eab-key-file',
};

/** Prints an error for people, and as JSON if requested. */
export async function reportFailure(output: Output, command: string, error: unknown): Promise<number> {
  const failure = describeFailure(error, command, output.given);
  if (output.manner.json) await output.record({ event: 'error', ...failure });
  output.tell(lines(output, command, failure).join('\n'));
  if (output.manner.debug) output.tell(stackOf(error));
  return failure.exitCode;
}

function lines(
  { colors }: Output,
  command: string,
  { message, cause, hint, code, exitCode }: Failure,
): string[] {
  return [
    `${colors.red(`${command}:`)} ${printable(message)}`,
    ...(cause === undefined ? [] : [`  ${colors.dim('why: ')} ${printable(cause)}`]),
    ...(hint === '' ? [] : [`  ${colors.dim('hint:')} ${printable(hint)}`]),
    `  ${colors.dim('code:')} ${code} (exit ${exitCode})`,
    `  ${colors.dim('more:')} ${commandName()} explain ${code}`,
  ];
}

const SPECIFIC = /^KNSOCK_(PEER_|CREDENTIALS_|ACME_(DIRECTORY|LISTEN)$)/;

/** The command's own hint fits best; a library doesn't know the command's flags. */
function hintFor(error: { code: string; hint: string }, command: string): string {
  if (error instanceof UsageError && error.hint !== '') return error.hint;
  // A hint about the specific file, proxy or port is more useful than one for the code.
  const usual = new EasySocketError(error.code, '').hint;
  if (SPECIFIC.test(error.code) && error.hint !== usual) return error.hint;
  return hintOf(error.code, command) ?? error.hint;
}

function isKnown(error: unknown): error is Error & { code: string; hint: string } {
  const { code, hint } = (error ?? {}) as { code?: unknown; hint?: unknown };
  return (
    error instanceof Error &&
    typeof code === 'string' &&
    code.startsWith('KNSOCK_') &&
    typeof hint === 'string'
  );
}

/** The innermost cause's message, unless it is already included. */
function causeOf(error: unknown): string | undefined {
  let cause = (error as { cause?: unknown } | null)?.cause;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  if (!(cause instanceof Error) || cause.message === '') return undefined;
  const said = error instanceof Error && error.message.includes(cause.message);
  return said ? undefined : firstLine(cause.message);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by: ${stackOf(error.cause)}`;
}
