/** Problem documents (RFC 8555 §6.7), and what each type means for a program that wants a certificate. */
import type { CertificateErrorCode } from '../errors.js';
import { AcmeError } from './acme-error.js';
import { fieldsOf } from './json.js';
import { neededWay, openTheWay, type Validation } from './reachability.js';
import { retryAfterMs } from './retry-after.js';

/** What a server says of a failure; all of it is a stranger's text. */
export interface Problem {
  /** The last part of the type: `rateLimited`. */
  readonly type: string;
  readonly detail: string;
  /** The page that the user is to open, for `userActionRequired` (RFC 8555 §6.7, §7.3.3). */
  readonly page: string;
  /** The names it is about, each with its reason. */
  readonly subproblems: readonly string[];
}

interface Explanation {
  readonly code: CertificateErrorCode;
  readonly hint?: string;
}

const account = (hint: string): Explanation => ({ code: 'KNSOCK_ACME_ACCOUNT', hint });
const validation = (hint: string): Explanation => ({ code: 'KNSOCK_ACME_VALIDATION', hint });
const refused = (hint: string): Explanation => ({ code: 'KNSOCK_ACME_REFUSED', hint });
const passing = (hint: string): Explanation => ({ code: 'KNSOCK_ACME_DIRECTORY', hint });

const explanations: Readonly<Record<string, Explanation>> = {
  rateLimited: { code: 'KNSOCK_ACME_RATE_LIMITED' },
  accountDoesNotExist: account('The account was deleted; another one is made at the next attempt.'),
  externalAccountRequired: account('Get a key id and an HMAC key from this CA and pass them as eab.'),
  userActionRequired: account('Open the page that the CA names, do what it asks, and try again.'),
  invalidContact: account('Is email an address that receives mail?'),
  unsupportedContact: account('Is email a plain address, without a name or parameters?'),
  badPublicKey: account('Remove account.key from dir to have another one made.'),
  badSignatureAlgorithm: account('The CA takes no P-256 account keys.'),
  caa: validation('Does a CAA record of the name, or of a domain above it, exclude this CA?'),
  connection: validation("Can the CA reach the port of the challenge at the name's addresses?"),
  dns: validation('Has the name A or AAAA records that the whole Internet can resolve?'),
  incorrectResponse: validation('Does another server answer at that port, for example over IPv6?'),
  tls: validation('Does something before this program end TLS at port 443, such as a proxy or a CDN?'),
  unauthorized: validation('Is that port closed, or does another server answer there?'),
  rejectedIdentifier: refused("The CA's policy excludes this name: use another name, or another CA."),
  unsupportedIdentifier: refused('The CA certifies no names of this kind, such as IP addresses.'),
  badCSR: refused('Would another keyType do?'),
  malformed: refused('The CA understood the request differently; its documentation may say what it expects.'),
  invalidProfile: { code: 'KNSOCK_ACME_PROFILE' },
  alreadyReplaced: refused('The certificate was renewed already, perhaps by another process.'),
  orderNotReady: passing('Try again.'),
  badNonce: passing('The CA refused several nonces in a row; try again.'),
  serverInternal: passing("Try again later; the CA's status page may say more."),
};

/** What may mean that the CA's connection came elsewhere, or nowhere: pebble calls a refused one `unauthorized`. */
const atThePort: ReadonlySet<string> = new Set(['connection', 'incorrectResponse', 'tls', 'unauthorized']);

/** What a type means instead where a request is refused, and no validation failed. */
const ofRequests: Readonly<Record<string, Explanation>> = {
  unauthorized: account(
    'Was the account deactivated, or eab given for another one? Remove account.key and account.json from dir to make another.',
  ),
};

const PREFIX = 'urn:ietf:params:acme:error:';
const LONGEST = 500;
const MOST_SUBPROBLEMS = 10;

/** Reads a problem, whatever it is. */
export function readProblem(value: unknown): Problem {
  const { type, detail, instance, subproblems } = fieldsOf(value);
  return {
    type: typeof type === 'string' ? type.replace(PREFIX, '').slice(0, 100) : 'unknown',
    detail: typeof detail === 'string' ? detail.slice(0, LONGEST) : '',
    page: typeof instance === 'string' ? instance.slice(0, LONGEST) : '',
    subproblems: Array.isArray(subproblems) ? subproblems.slice(0, MOST_SUBPROBLEMS).map(lineOf) : [],
  };
}

function lineOf(value: unknown): string {
  const { identifier } = fieldsOf(value);
  const name = fieldsOf(identifier)['value'];
  const { type, detail } = readProblem({ ...fieldsOf(value), subproblems: undefined });
  return `${typeof name === 'string' ? `${name.slice(0, 255)}: ` : ''}${detail === '' ? type : detail}`;
}

/** The longest that a CA is left alone because it says so, in ms: a wrong header must not let a certificate expire. */
export const LONGEST_REFUSAL = 2 * 86_400_000;

/** Where a problem was met. */
export interface ProblemContext {
  /** What was asked for: "the order". */
  readonly what: string;
  readonly host: string;
  readonly retryAfter?: string | undefined;
  /** The server's clock. */
  readonly now: Date;
  /** The validation that it ended; undefined where it is about a request. */
  readonly validation?: Validation;
  /** The code for types that nothing is known of. */
  readonly otherwise?: CertificateErrorCode;
}

/** The error for a problem. */
export function problemError(problem: Problem, context: ProblemContext): AcmeError {
  const { type, detail, page, subproblems } = problem;
  const { what, host, retryAfter, now, validation, otherwise = 'KNSOCK_ACME_REFUSED' } = context;
  const tables = validation !== undefined ? [explanations] : [ofRequests, explanations];
  const table = tables.find((one) => Object.hasOwn(one, type));
  const { code, hint } = table?.[type] ?? { code: otherwise, hint: undefined };
  const missed = atThePort.has(type) ? validation : undefined;
  const wait = retryAfterMs(retryAfter, now);
  const retryAt = wait === undefined ? undefined : new Date(Date.now() + Math.min(wait, LONGEST_REFUSAL));
  const again = retryAt === undefined ? '' : `; it may be asked again at ${retryAt.toISOString()}`;
  const needed = missed === undefined ? '' : neededWay(missed);
  const said = [detail, ...subproblems, page, needed].filter((text) => text !== '').join('; ');
  const message = `${host} refused ${what} (${type})${said === '' ? '' : `: ${said}`}${again}`;
  const advice = missed === undefined ? hint : `${hint} ${openTheWay(missed)}`;
  return new AcmeError(code, message, {
    problem: type,
    retryAt,
    ...(advice === undefined ? {} : { hint: advice }),
  });
}
