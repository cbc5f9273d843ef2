/** Creates, lists and withdraws the tokens with which machines enrol at an authority server. */
import {
  flag,
  integerWithin,
  number,
  readAllOptions,
  string,
  texts,
  withDefault,
  type OptionReaders,
} from '@knsock/core/options';
import { InvalidOptionError } from '@knsock/core/errors';
import { checkKind, type CertificateKind } from '../issuing/extensions.js';
import { parseNames } from '../issuing/names.js';
import { decideValidity } from '../issuing/validity.js';
import { checkPatterns } from '../issuing/signing-policy.js';
import { CertificateError } from '../errors.js';
import { hashSecret, newSecret, type TokenSecret } from './token.js';
import { fillTemplates } from './templates.js';
import { TokenJournal, type TokenState } from '../store/token-journal.js';

/** What a token allows its holder to enrol. */
export interface TokenOptions {
  /**
   * All names of the certificate. If the token also has `allow`, `{name}` in a name stands for the first name that
   * the request asks for, as in `spiffe://example.com/agents/{name}`.
   */
  readonly names?: readonly string[] | undefined;
  /**
   * Patterns of further names that a request may ask for, in the syntax of `SigningPolicy.names`: `*.agents.example.com`.
   * Default: none; a request for anything beyond `names` is refused.
   */
  readonly allow?: readonly string[] | undefined;
  /** Default: the first name. */
  readonly commonName?: string | undefined;
  /** Default `client`. */
  readonly kind?: CertificateKind | undefined;
  /** Validity of the certificate; default 1. Fractions are allowed: 1 / 24 is an hour. */
  readonly days?: number | undefined;
  /** How many keys it can certify; default 1. */
  readonly uses?: number | undefined;
  /** How long the token may be used, in ms; default 3,600,000. */
  readonly expiresIn?: number | undefined;
}

/** How each of them is read, and its default. */
export const tokenOptions = {
  names: texts<readonly string[] | undefined>,
  allow: texts<readonly string[] | undefined>,
  commonName: string<string | undefined>,
  kind: withDefault<CertificateKind>(string, 'client'),
  days: withDefault<number>(number, 1),
  uses: withDefault(integerWithin({ min: 1, max: 1_000_000 }), 1),
  expiresIn: withDefault<number>(number, 3_600_000),
} as const satisfies OptionReaders<TokenOptions>;

/** A token as the authority keeps it, without the secret. */
export interface TokenInfo {
  /** Identifies it in lists and logs; not secret. */
  readonly id: string;
  /** What its certificates are for. */
  readonly kind: CertificateKind;
  /** The names in its certificates. */
  readonly names: readonly string[];
  /** Patterns of further names that may be requested. */
  readonly allow: readonly string[];
  /** Validity of its certificates in days. */
  readonly days: number;
  /** How often it may be used. */
  readonly uses: number;
  /** When it was created. */
  readonly created: Date;
  /** When it expires. */
  readonly expires: Date;
  /** `open`: it can certify another key. */
  readonly state: 'open' | 'used' | 'expired' | 'withdrawn';
  /** The keys that it was bound to, each by the SHA-256 of its SubjectPublicKeyInfo (hex). */
  readonly enrolled: readonly TokenUse[];
}

/** One key that a token was bound to. */
export interface TokenUse {
  /** SHA-256 of the SubjectPublicKeyInfo that was certified, hex. */
  readonly key: string;
  /** When it was used. */
  readonly at: Date;
  /** The client's address. */
  readonly from: string;
  /** Of the certificate; undefined after a crash before it was issued. */
  readonly serial: string | undefined;
}

/**
 * Creates a token. The store keeps only a hash: the secret is returned here and never again.
 * @throws InvalidOptionError, CertificateError
 */
export async function createToken(directory: string, options: TokenOptions): Promise<TokenSecret> {
  const read = readAllOptions(options, tokenOptions);
  const { names = [], allow = [], commonName, kind, days, uses, expiresIn } = read;
  checkKind(kind);
  checkNames(names, allow);
  decideValidity({ days, defaultDays: days, maxDays: Infinity, now: new Date() });
  if (!(expiresIn > 0)) throw new InvalidOptionError('expiresIn', 'expiresIn must be more than 0');
  const token = newSecret();
  const now = Date.now();
  const grant = {
    id: token.id,
    hash: hashSecret(token.secret),
    ...{ kind, names, allow, days, uses },
    commonName: commonName ?? names.find((name) => !name.includes('{')),
    expires: now + expiresIn,
  };
  const journal = new TokenJournal(directory);
  await journal.exclusively((lock) => journal.append(lock, { event: 'created', at: now, ...grant }));
  return token;
}

/**
 * Withdraws a token: it can't be used any more. Certificates issued with it stay valid.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_FOUND`
 */
export async function withdrawToken(directory: string, id: string): Promise<void> {
  const journal = new TokenJournal(directory);
  await journal.exclusively(async (lock) => {
    const state = await journal.find(id);
    if (state === undefined)
      throw new CertificateError('KNSOCK_CERTIFICATE_NOT_FOUND', `there is no token ${id} in ${directory}`, {
        hint: 'listTokens shows which there are (the command: knsock certs token --list).',
      });
    if (!state.withdrawn) await journal.append(lock, { event: 'withdrawn', at: Date.now(), id });
  });
}

/** Every token ever created in a store, oldest first. @throws CertificateError */
export async function listTokens(directory: string): Promise<TokenInfo[]> {
  return (await new TokenJournal(directory).all()).map(factsOf);
}

/** Options of `barRenewal`. */
export interface BarOptions {
  /** False admits the name again; default true. */
  readonly barred?: boolean | undefined;
}

/** How each of them is read, and its default. */
const barOptions = {
  barred: withDefault<boolean>(flag, true),
} as const satisfies OptionReaders<BarOptions>;

/**
 * From now on refuses renewals of certificates with this name (or with it as common name), whatever the policy
 * says; certificates stay valid until they expire. `barred: false` allows renewals again.
 * @throws CertificateError
 */
export async function barRenewal(directory: string, name: string, options: BarOptions = {}): Promise<void> {
  const { barred } = readAllOptions(options, barOptions);
  const journal = new TokenJournal(directory);
  const event = barred ? 'barred' : 'admitted';
  await journal.exclusively((lock) => journal.append(lock, { event, at: Date.now(), name }));
}

function checkNames(names: readonly string[], allow: readonly string[]): void {
  if (names.length + allow.length === 0)
    throw new InvalidOptionError('names', 'a token needs a name at least, or patterns of names to allow');
  if (allow.length === 0 && names.some((name) => name.includes('{name}')))
    throw new InvalidOptionError('names', '{name} stands for a name that is asked for, which needs allow');
  parseNames(fillTemplates(names, 'name'));
  checkPatterns(allow);
}

function factsOf({ grant, created, bound, withdrawn }: TokenState): TokenInfo {
  const { id, kind, names, allow, days, uses, expires } = grant;
  const state = withdrawn
    ? 'withdrawn'
    : Date.now() >= expires
      ? 'expired'
      : bound.size >= uses
        ? 'used'
        : 'open';
  const enrolled = [...bound].map(([key, { at, from, serial }]) => ({ key, at: new Date(at), from, serial }));
  return {
    ...{ id, kind, names, allow, days, uses, state, enrolled },
    created: new Date(created),
    expires: new Date(expires),
  };
}
