/** Core's path validation for files, with a readable result. */
import { UntrustedPeerError, type PeerReason } from '@knsock/core/errors';
import {
  abortSignal,
  date,
  flag,
  list,
  readAllOptions,
  required,
  string,
  withDefault,
  word,
  type OptionReaders,
} from '@knsock/core/options';
import {
  checkPolicyOptions,
  checkRevocationPolicy,
  mayHaveIssued,
  verifyPath,
  type CertificateRevocationList,
  type Failure,
  type PolicyOptions,
  type RevocationPolicyOptions,
  type X509Certificate,
} from '@knsock/core/x509';
import { fetchCrls } from '../revocation/fetch-lists.js';
import {
  openingReaders,
  readCertificates,
  readCrls,
  source,
  sourceOrSources,
  type Source,
  type SourceOpening,
} from '../files/source.js';

/** Options of `verifyChain`. */
export interface VerifyChainOptions extends SourceOpening {
  /** The leaf first, its issuers after it in any order; of a PKCS#12 file the key's certificate. */
  readonly chain: Source;
  /** The trust anchors. */
  readonly ca: Source | readonly Source[];
  /** Further issuers, if the chain lacks them. */
  readonly intermediates?: readonly Source[] | undefined;
  /** The name that the leaf must contain; default any. */
  readonly name?: string | undefined;
  /** Default `server`. */
  readonly usage?: 'server' | 'client' | undefined;
  /** Revocation lists, also as URLs; without any, revocation isn't checked. */
  readonly crls?: readonly (Source | URL)[] | undefined;
  /** The revocation policy; default that of `crlFile` on a connection. */
  readonly revocation?: RevocationPolicyOptions | undefined;
  /** Certificate policies that the path must hold; default: what its CAs require. */
  readonly policies?: PolicyOptions | undefined;
  /** The time of validation; default now. */
  readonly at?: Date | undefined;
  /** Default `private`; `web` adds the formal requirements of browsers. */
  readonly rules?: 'private' | 'web' | undefined;
  /** Trust an intermediate or the leaf itself if `ca` contains it; default false. */
  readonly partialChain?: boolean | undefined;
  /** Aborts the fetching of lists, which takes at most 10 seconds each. */
  readonly signal?: AbortSignal | undefined;
}

/** How each of them is read, and its default. */
export const verifyChainOptions = {
  ...openingReaders,
  chain: required<Source>(source),
  ca: required<Source | readonly Source[]>(sourceOrSources),
  intermediates: withDefault<readonly Source[]>(list, []),
  name: string<string | undefined>,
  usage: withDefault(word('server', 'client'), 'server'),
  crls: withDefault<readonly (Source | URL)[]>(list, []),
  revocation: checkRevocationPolicy<RevocationPolicyOptions | undefined>,
  policies: checkPolicyOptions<PolicyOptions | undefined>,
  at: date<Date | undefined>,
  rules: withDefault(word('private', 'web'), 'private'),
  partialChain: withDefault<boolean>(flag, false),
  signal: abortSignal,
} as const satisfies OptionReaders<VerifyChainOptions>;

/** The result, for programs and for people. */
export type ChainVerdict =
  | {
      readonly ok: true;
      /** Subjects, leaf first. */ readonly path: readonly string[];
      readonly message: string;
    }
  | {
      readonly ok: false;
      readonly reason: PeerReason;
      /** The place of the certificate at fault on the path: 1 is the leaf, 2 its issuer, and so on. */
      readonly position: number;
      readonly message: string;
      /** What to try next. */
      readonly hint: string;
    };

/**
 * Verifies a chain as core would on a connection.
 * @throws CertificateError if a source can't be read; a chain that isn't trusted is a result, not an error.
 */
export async function verifyChain(given: VerifyChainOptions): Promise<ChainVerdict> {
  const options = readAllOptions(given, verifyChainOptions);
  const [leaf, ...rest] = await readCertificates(options.chain, options);
  const { passphrase, name, at, rules, partialChain, revocation, policies, usage } = options;
  const verdict = await verifyPath({
    leaf: leaf as X509Certificate,
    intermediates: [...rest, ...(await readAll(options.intermediates, passphrase))],
    anchors: await readAll(isList(options.ca) ? options.ca : [options.ca], passphrase),
    crls: (await Promise.all(options.crls.map((one) => listsOf(one, options.signal)))).flat(),
    ...{ usage, name, at, rules, partialChain, revocation, policies },
  });
  const below = rest.find(
    (one) => leaf !== undefined && !one.der.equals(leaf.der) && mayHaveIssued(leaf, one),
  );
  if (!verdict.ok) return refusal(below === undefined ? verdict : { ...verdict, hint: LEAF_FIRST });
  const path = verdict.path.map(({ subject }) => subject.toString());
  return { ok: true, path, message: `trusted: ${path.join(' ← ')}` };
}

const LEAF_FIRST =
  'The first certificate issued one that follows: put the leaf first, then each issuer (knsock certs convert FILE --to chain).';

function listsOf(
  list: Source | URL,
  signal: AbortSignal | undefined,
): Promise<readonly CertificateRevocationList[]> {
  return list instanceof URL ? fetchCrls(list, { signal }) : readCrls(list);
}

function refusal(failure: Failure): ChainVerdict {
  const { reason, position, message } = failure;
  const hint = failure.hint ?? new UntrustedPeerError(reason, position, message).hint;
  return { ok: false, reason, position, message: `not trusted (${reason}): ${message}`, hint };
}

async function readAll(
  sources: readonly Source[],
  passphrase: string | undefined,
): Promise<X509Certificate[]> {
  return (await Promise.all(sources.map((one) => readCertificates(one, { passphrase })))).flat();
}

function isList(ca: Source | readonly Source[]): ca is readonly Source[] {
  return Array.isArray(ca);
}
