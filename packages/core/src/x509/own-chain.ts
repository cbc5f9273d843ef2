/**
 * The chain that we show. It is sent as it was given wherever some peer may want it so: what no peer can use is left
 * out, and other mistakes are warnings; those that every peer would refuse are fatal. Credentials and `knsock check`
 * share this function, so that a server starts with what the check passes.
 */
import type { X509Certificate } from './certificate.js';
import { certificateWeakness, mayHaveIssued } from './issuance.js';
import { tlsKeyProblem, usageOf } from './checks/usage.js';
import { verifyPathSync } from './verify-path.js';

/** Something doubtful about our own chain. */
export interface OwnChainWarning {
  /**
   * `refused`: strict peers, knsock among them, refuse it, which OpenSSL may accept. `tls13-only`: TLS 1.2 has no
   * signatures by such a key.
   */
  readonly reason: 'expired' | 'not-yet-valid' | 'weak' | 'chain' | 'refused' | 'tls13-only';
  /** What is wrong, in one sentence. */
  readonly message: string;
  /** Whether every peer would refuse. */
  readonly fatal: boolean;
}

/** The own certificates as they are shown to peers. */
export interface OwnChain {
  /** The leaf, then those that issued it, those that issued them and so on. */
  readonly chain: readonly X509Certificate[];
  /** What is wrong and was worked around. */
  readonly warnings: readonly OwnChainWarning[];
  /** Why nobody accepts the leaf, however its chain may be: it is too weak, or its key can't sign in TLS. */
  readonly refusal: string | undefined;
}

/** What own certificates are judged by. */
export interface OwnChainContext {
  /** Named in messages. */
  readonly file: string | undefined;
  /** Whom we trust ourselves: a CA found there needs no valid twin in our own chain. */
  readonly anchors: readonly X509Certificate[];
  /** Milliseconds. */
  readonly now: number;
}

type Place = (certificate: X509Certificate) => string;

/**
 * Puts the own certificates in the order in which they are shown, and says what is wrong with them.
 * @param given the leaf first; at least one
 */
export function arrangeOwnChain(given: readonly X509Certificate[], context: OwnChainContext): OwnChain {
  const leaf = given[0] as X509Certificate;
  const unique = given.filter((one, index) => given.findIndex(({ der }) => der.equals(one.der)) === index);
  const others = unique.slice(1).filter((certificate) => certificateWeakness(certificate) === undefined);
  const strong = [leaf, ...others];
  const chain = linked(leaf, strong, context.now);
  const place: Place = (certificate) =>
    `certificate ${given.indexOf(certificate) + 1} of ${given.length} (${certificate.subject.toString()})${named(context.file)}`;
  const problem = certificateWeakness(leaf) ?? tlsKeyProblem(leaf);
  const warnings = [
    ...orderWarnings({ given, unique, strong, chain }, context, place),
    ...dateWarnings(chain, context, place),
    ...(problem === undefined ? refusalWarnings(chain, context) : []),
    ...versionWarnings(leaf, place),
  ];
  return { chain, warnings, refusal: problem && `${place(leaf)} ${problem}` };
}

interface Stages {
  readonly given: readonly X509Certificate[];
  readonly unique: readonly X509Certificate[];
  readonly strong: readonly X509Certificate[];
  readonly chain: readonly X509Certificate[];
}

function orderWarnings(
  { given, unique, strong, chain }: Stages,
  { file }: OwnChainContext,
  place: Place,
): OwnChainWarning[] {
  const warning = (message: string, reason: 'chain' | 'weak' = 'chain'): OwnChainWarning => ({
    reason,
    message,
    fatal: false,
  });
  const twice = given.filter((one) => !unique.includes(one));
  const weak = unique.filter((one) => !strong.includes(one));
  const unrelated = strong.filter((one) => !chain.includes(one));
  return [
    ...twice.map((one) => warning(`${place(one)} stands there twice; it is sent once`)),
    ...weak.map((one) => warning(`${place(one)} ${certificateWeakness(one)}; it isn't sent`, 'weak')),
    ...unrelated.map((one) => warning(`${place(one)} ${unusedFor(one, strong)}; it isn't sent`)),
    ...(isInOrder(chain, given)
      ? []
      : [warning(`the certificates${named(file)} aren't in order; they are sent leaf first`)]),
  ];
}

/**
 * Every certificate from which a path leads to the leaf: cross-signed twins stay, since different clients need either. One
 * that is valid comes before one that isn't: many clients follow the first.
 */
function linked(leaf: X509Certificate, all: readonly X509Certificate[], now: number): X509Certificate[] {
  const chain = [leaf];
  const isValid = (one: X509Certificate): boolean => isWithinDates(one, now);
  const likeliestFirst = [...all.filter(isValid), ...all.filter((one) => !isValid(one))];
  // The chain grows while it is gone through.
  for (const certificate of chain) {
    if (isRoot(certificate)) continue;
    for (const candidate of likeliestFirst) {
      if (!chain.includes(candidate) && mayHaveIssued(candidate, certificate)) chain.push(candidate);
    }
  }
  return chain;
}

function unusedFor(one: X509Certificate, strong: readonly X509Certificate[]): string {
  const isBelow =
    !isRoot(one) && strong.slice(0, strong.indexOf(one)).some((other) => mayHaveIssued(other, one));
  return isBelow ? 'was issued by one before it, and the leaf must come first' : 'issued none of the others';
}

function isInOrder(chain: readonly X509Certificate[], given: readonly X509Certificate[]): boolean {
  return chain.every((one, index) => {
    const next = chain[index + 1];
    return next === undefined || given.indexOf(one) < given.indexOf(next);
  });
}

/**
 * Clients have roots and, above the issuing CA, often other certificates of the same CAs: a cross-signed twin that has
 * expired is passed over. The leaf has no twin, and an issuing CA's would have to be in our file.
 */
function dateWarnings(
  chain: readonly X509Certificate[],
  { now, anchors }: OwnChainContext,
  place: Place,
): OwnChainWarning[] {
  const leaf = chain[0] as X509Certificate;
  const issuers = isRoot(leaf) ? [] : chain.filter((one) => one !== leaf && mayHaveIssued(one, leaf));
  const isAnyIssuerValid = [...issuers, ...anchors.filter((anchor) => mayHaveIssued(anchor, leaf))].some(
    (issuer) => isWithinDates(issuer, now),
  );
  return chain.flatMap((certificate) => {
    const fatal = certificate === leaf || (issuers.includes(certificate) && !isAnyIssuerValid);
    return dateWarning(certificate, place(certificate), { now, fatal }) ?? [];
  });
}

function dateWarning(
  certificate: X509Certificate,
  which: string,
  { now, fatal }: { now: number; fatal: boolean },
): OwnChainWarning | undefined {
  const { notBefore, notAfter } = certificate;
  if (now > notAfter.getTime())
    return { reason: 'expired', message: `${which} expired on ${notAfter.toISOString()}`, fatal };
  if (now >= notBefore.getTime()) return undefined;
  return {
    reason: 'not-yet-valid',
    message: `${which} isn't valid before ${notBefore.toISOString()}`,
    fatal,
  };
}

function isWithinDates(certificate: X509Certificate, now: number): boolean {
  return now <= certificate.notAfter.getTime() && now >= certificate.notBefore.getTime();
}

/**
 * What a peer would say that trusts the end of the chain: contradictions, CAs that may not sign, path lengths, name
 * constraints, key identifiers, usage. Dates are looked at above, where more is known of them.
 */
function refusalWarnings(
  chain: readonly X509Certificate[],
  { now, file, anchors }: OwnChainContext,
): OwnChainWarning[] {
  const [leaf, ...others] = chain as [X509Certificate, ...X509Certificate[]];
  // Whatever signature a certificate has of its own, it may be trusted itself, and nobody relies on that signature.
  const hasIssuer = (one: X509Certificate): boolean =>
    chain.some((issuer) => issuer !== one && mayHaveIssued(issuer, one));
  const ends = chain.filter((one) => isRoot(one) || !hasIssuer(one));
  const known = anchors.filter((anchor) => ends.some((end) => mayHaveIssued(anchor, end)));
  const usage = usageOf(leaf);
  const trusted = [...ends, ...known];
  const verdict = verifyPathSync({
    leaf,
    intermediates: others,
    // Marks are about whom we trust, which peers decide for themselves.
    anchors: trusted.map(({ der }) => der),
    usage,
    at: now,
    partialChain: true,
  });
  if (verdict.ok || verdict.reason === 'expired' || verdict.reason === 'not-yet-valid') return [];
  const message = `strict ${usage === 'server' ? 'clients' : 'servers'}, knsock's among them, refuse the chain${named(file)}: ${verdict.message}`;
  return [{ reason: 'refused', message, fatal: false }];
}

/** RFC 9881 and its TLS counterpart define ML-DSA for TLS 1.3 alone. */
export function isTls13Only({ publicKeyInfo: { kind } }: X509Certificate): boolean {
  return kind.type.startsWith('ml-dsa-');
}

function versionWarnings(leaf: X509Certificate, place: Place): OwnChainWarning[] {
  if (!isTls13Only(leaf)) return [];
  const message = `${place(leaf)} has a key of ${leaf.publicKeyInfo.kind.type.toUpperCase()}, which only TLS 1.3 has: peers that speak TLS 1.2 can't connect`;
  return [{ reason: 'tls13-only', message, fatal: false }];
}

const isRoot = (certificate: X509Certificate): boolean =>
  certificate.isSelfIssued && certificate.isSelfSigned;

function named(file: string | undefined): string {
  return file === undefined ? '' : ` in ${file}`;
}
