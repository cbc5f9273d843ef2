/** Says of any error what failed, why, and what to do: text for people, fields for programs. */
import { EasySocketError } from './base.js';
import { causes, type Side } from './causes.js';
import { fromConnection } from './from-node.js';
import { printable } from './printable.js';
import { isOpensslVerdict, reasonOfOpenssl } from './openssl-reasons.js';
import { UntrustedPeerError } from './security.js';

/** A failure, explained. */
export interface Explanation {
  /** `KNSOCK_…`; what another program raised keeps its own code. */
  readonly code: string;
  /** What failed, with names and numbers. */
  readonly what: string;
  /** Why this happens. */
  readonly why: string;
  /** What to try next. */
  readonly fix: string;
  /** Which side most likely has to change something. */
  readonly side: Side;
  /** Whether the same call may succeed when simply repeated. */
  readonly retryable: boolean;
  /** What is known: subject, issuer, names, dates, limits, what this side offered. Dates are ISO 8601. */
  readonly evidence: Readonly<Record<string, string | number | boolean>>;
  /** The page and section about the error, as in its own `docs`; empty for errors that aren't of this library. */
  readonly docs: string;
  /** All of it as lines to print. */
  toString(): string;
}

/** Explains any error; those of `node:tls` and `node:net` are translated first. */
export function explain(error: unknown): Explanation {
  const known = translate(error);
  if (known === null) return unknown(error);
  const [side, why] = (causes as Partial<typeof causes>)[known.code as keyof typeof causes] ?? ['either', ''];
  const { code, message: what, hint: fix, retryable, docs } = known;
  return withLines({ code, what, why, fix, side, retryable, evidence: evidenceOf(known), docs });
}

function translate(error: unknown): EasySocketError | null {
  if (error instanceof EasySocketError) return error;
  const code = codeOf(error);
  if (!(error instanceof Error) || code === undefined) return null;
  if (isOpensslVerdict(code)) {
    const { reason } = reasonOfOpenssl(code);
    return new UntrustedPeerError(reason, 1, `${error.message} (${code})`, { cause: error });
  }
  return SYSTEM.test(code) || code.startsWith('ERR_SSL') ? fromConnection(error, 'client') : null;
}

/** What the system and OpenSSL raise on sockets; an error of the program itself isn't ours to explain. */
const SYSTEM = /^(E[A-Z]{3,}|ERR_(OSSL|TLS|STREAM)_.*)$/;

function unknown(error: unknown): Explanation {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return withLines({
    code: typeof code === 'string' ? code : 'UNKNOWN',
    what: typeof message === 'string' ? message : String(error),
    why: "it wasn't raised by knsock, nor by a socket",
    fix: 'Look where it was thrown; its stack says so.',
    side: 'local',
    retryable: false,
    evidence: {},
    docs: '',
  });
}

/** The fields that errors of any family carry; what is absent is left out. */
const plain = [
  'reason',
  'position',
  'causes',
  'phase',
  'ms',
  'size',
  'limit',
  'port',
  'file',
  'option',
  'remoteCode',
  'clean',
];

function evidenceOf(error: EasySocketError): Explanation['evidence'] {
  const fields = error as unknown as Record<string, unknown>;
  const found = [
    ...plain.map((name) => [name, fields[name]] as const),
    ...Object.entries(fields['certificate'] ?? {}),
    ...Object.entries(fields['offer'] ?? {}),
    ['cause', codeOf(error.cause)] as const,
  ];
  return Object.fromEntries(
    found.flatMap(([name, value]) => {
      const shown = show(value);
      return shown === undefined ? [] : [[name, shown]];
    }),
  );
}

function show(value: unknown): string | number | boolean | undefined {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.join(', ') || undefined;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : undefined;
}

function codeOf(cause: unknown): string | undefined {
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

function withLines(parts: Omit<Explanation, 'toString'>): Explanation {
  const lines = [
    `${printable(parts.code)}: ${printable(parts.what)}`,
    ...(parts.why === '' ? [] : [`why: ${parts.why}`]),
    ...Object.entries(parts.evidence).map(([name, value]) => `  ${name}: ${printable(String(value))}`),
    `fix: ${parts.fix}`,
    ...(parts.retryable ? ['retry: the same call may succeed when repeated'] : []),
    ...(parts.docs === '' ? [] : [`more: ${parts.docs}`]),
  ];
  const explanation = { ...parts };
  // Not enumerable, so that an explanation logs and compares as plain data.
  Object.defineProperty(explanation, 'toString', { value: () => lines.join('\n') });
  return explanation;
}
