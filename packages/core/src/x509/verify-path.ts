import { asError } from '../errors/as-error.js';
import { checkOptions, flag, integer, list, wrongKind, type OptionReaders } from '../options/index.js';
import { X509Certificate } from './certificate.js';
import { objectsIn, type FileObject } from './formats/objects.js';
import { CertificateRevocationList, parseCrls } from './crl.js';
import type { Failure } from './failure.js';
import { validate, type PathVerdict } from './validate-path.js';
import { pathReaders, parsePathOptions, type ValidatePathOptions } from './path-validation.js';
import { PathSearch } from './path-search.js';

/** One certificate or several: read already, a PEM text (every block of it counts), or DER. */
export type CertificateInput = X509Certificate | string | Uint8Array;
/** A CRL or several: read already, a PEM text (every block of it counts), or DER. */
export type CrlInput = CertificateRevocationList | string | Uint8Array;

/** What `verifyPath` verifies, and by what. */
export interface VerifyOptions extends Omit<ValidatePathOptions, 'crls'> {
  /** The certificate to verify. */
  readonly leaf: CertificateInput;
  /** What the peer sent, or what else is known; in any order. Unreadable ones are ignored. */
  readonly intermediates?: readonly CertificateInput[] | undefined;
  /** The trust anchors. Unreadable ones are ignored. */
  readonly anchors: readonly CertificateInput[];
  /** Revocation lists, PEM or DER. */
  readonly crls?: readonly CrlInput[] | undefined;
  /** How many CAs, self-issued ones not counted, may stand between leaf and anchor; default 10. */
  readonly maxDepth?: number | undefined;
  /**
   * How many signatures are checked at the most; default 100. Each takes up to some 0.5 ms; one by a larger RSA key counts
   * for several, and keys over 8,192 bits are refused but in anchors.
   */
  readonly maxSignatures?: number | undefined;
  /** Let a path end at any trusted certificate, an intermediate or the leaf itself; default: at self-issued ones only. */
  readonly partialChain?: boolean | undefined;
}

const readers: OptionReaders<VerifyOptions> = {
  ...pathReaders,
  leaf: readLeaf,
  intermediates: list,
  anchors: list,
  crls: list,
  maxDepth: integer,
  maxSignatures: integer,
  partialChain: flag,
};

function readLeaf(option: string, value: CertificateInput): CertificateInput {
  if (typeof value === 'string' || (typeof value === 'object' && (value as unknown) !== null)) return value;
  throw wrongKind(option, value, 'a certificate: PEM, DER, or as parsed');
}

/** Paths validated per search; together with the budget of signatures it bounds the work. */
const MAX_PATHS = 32;

/**
 * Finds a path from the leaf to an anchor and validates it (RFC 5280 6): signatures, dates, CA flags, path length, usage,
 * name constraints, critical extensions, policies, name, CRLs. Several paths are tried; of failures the likeliest
 * path's is returned. Unreadable input fails with a reason; only wrong options throw.
 * @throws InvalidOptionError
 */
export function verifyPathSync(options: VerifyOptions): PathVerdict {
  checkOptions(options, readers);
  const validation = parsePathOptions({ ...options, crls: [] });
  const unreadable: unknown[] = [];
  const [leaf, ...rest] = readCertificates([options.leaf], unreadable).map(withoutMarks);
  if (!leaf) return unreadableFailure("the peer's certificate", 'malformed', unreadable);
  const crls = readCrls(options.crls ?? []);
  if ('ok' in crls) return crls;
  const sent = readCertificates(options.intermediates ?? [], unreadable).map(withoutMarks);
  const intermediates = [...rest, ...sent];
  const anchors = readCertificates(options.anchors, unreadable);
  const search = new PathSearch({
    leaf,
    intermediates,
    anchors,
    at: validation.at,
    maxDepth: options.maxDepth ?? 10,
    maxSignatures: options.maxSignatures ?? 100,
    partialChain: options.partialChain ?? validation.rules.anchorsAnywhere,
    rules: validation.rules,
  });
  return (
    firstGood(search, { ...validation, crls, crlIssuers: [...intermediates, ...anchors] }) ??
    withUnreadable(search.deadEnd, unreadable)
  );
}

/** As `verifyPathSync`, as a promise; rejects where that throws. */
export async function verifyPath(options: VerifyOptions): Promise<PathVerdict> {
  return Promise.resolve(verifyPathSync(options));
}

type Validation = ReturnType<typeof parsePathOptions>;

/** The first path that is trusted, else the failure of the first that isn't; undefined where there is none. */
function firstGood(search: PathSearch, validation: Validation): PathVerdict | undefined {
  let first: PathVerdict | undefined;
  let count = 0;
  for (const path of search.paths()) {
    const verdict = validate({ path, ...validation });
    if (verdict.ok) return verdict;
    first ??= verdict;
    if (++count >= MAX_PATHS) break;
  }
  return first;
}

function readCertificates(inputs: readonly CertificateInput[], unreadable: unknown[]): X509Certificate[] {
  return inputs.flatMap((input) => {
    if (input instanceof X509Certificate) return [input];
    const objects = attempt(() => objectsOf(input), unreadable) ?? [];
    return objects.flatMap(
      ({ der, marks }) => attempt(() => new X509Certificate(der, marks), unreadable) ?? [],
    );
  });
}

/** Marks say what to trust, which no peer says of itself. */
function withoutMarks(certificate: X509Certificate): X509Certificate {
  return certificate.trustMarks === undefined ? certificate : new X509Certificate(certificate.der);
}

/** What another copy of the library has read is read again, and keeps its marks. */
function objectsOf(input: string | Uint8Array | X509Certificate): FileObject[] {
  if (typeof input === 'string' || input instanceof Uint8Array) return objectsIn(input, 'certificate');
  return [{ der: input.der, place: undefined, marks: input.trustMarks }];
}

function rawOf(input: { readonly der: Buffer } | string | Uint8Array): string | Uint8Array {
  return typeof input === 'object' && 'der' in input ? input.der : input;
}

function attempt<T>(read: () => T, unreadable: unknown[]): T | undefined {
  try {
    return read();
  } catch (error) {
    unreadable.push(error);
    return undefined;
  }
}

/** A list that can't be read may be the one that revokes, so it fails the whole (fail closed). */
function readCrls(inputs: readonly CrlInput[]): CertificateRevocationList[] | Failure {
  try {
    return inputs.flatMap((input) =>
      input instanceof CertificateRevocationList ? [input] : parseCrls(rawOf(input)),
    );
  } catch (error) {
    return unreadableFailure('a CRL', 'revocation-unknown', [error]);
  }
}

function unreadableFailure(what: string, reason: Failure['reason'], errors: readonly unknown[]): Failure {
  return {
    ok: false,
    reason,
    position: 1,
    message: `${what} can't be read: ${messageOf(errors[0])}`,
    certificate: undefined,
  };
}

/** Where an issuer may be missing because its certificate couldn't be read, that is the reason to tell. */
function withUnreadable(deadEnd: Failure, unreadable: readonly unknown[]): Failure {
  if (unreadable.length === 0 || deadEnd.reason !== 'unknown-issuer') return deadEnd;
  const message = `${deadEnd.message}; ${unreadable.length} of the other certificates can't be read: ${messageOf(unreadable[0])}`;
  return { ...deadEnd, reason: 'malformed', message };
}

const messageOf = (error: unknown): string => asError(error).message;
