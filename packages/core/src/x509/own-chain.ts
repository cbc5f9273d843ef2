/**
 * The chain that we show. It is sent as it was given wherever some peer may want it so: what no peer can use is left
 * out, and other mistakes are warnings; those that every peer would refuse are fatal. Credentials, `knsock check` and the
 * linting of @knsock/certs share this function, so that a server starts with what the others pass, and they grade alike.
 */
import type { PeerReason } from '../errors/reason.js';
import type { X509Certificate } from './certificate.js';
import type { Severity } from './faults.js';
import { certificateWeakness, mayHaveIssued, signatureWeakness } from './issuance.js';
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
  /** How severe it is in a file, whatever program will send it. */
  readonly severity: Severity;
  /** The place of the certificate that it is about, among those given: 1 is the first. */
  readonly position: number;
  /** What is wrong with that certificate, as the end of a sentence; of `refused` a sentence. */
  readonly problem: string;
  /** Why strict peers refuse it; of `refused` alone. */
  readonly cause?: PeerReason;
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
  const problem = certificateWeakness(leaf) ?? tlsKeyProblem(leaf);
  const stages = { unique, strong, chain };
  const found = [
    ...orderFaults(given, stages, context.anchors),
    ...weaknessFaults(stages, context.anchors),
    ...dateFaults(chain, context),
    ...(problem === undefined ? refusalFaults(chain, context) : []),
    ...versionFaults(leaf),
  ];
  const place = (certificate: X509Certificate): string =>
    `certificate ${given.indexOf(certificate) + 1} of ${given.length} (${certificate.subject.toString()})${named(context.file)}`;
  const warnings = found.map(({ certificate, consequence = '', ...fault }) => ({
    message: `${place(certificate)} ${fault.problem}${consequence}`,
    position: given.indexOf(certificate) + 1,
    fatal: false,
    ...fault,
  }));
  return { chain, warnings, refusal: problem && `${place(leaf)} ${problem}` };
}

/** A warning, before the certificate is named. */
interface ChainFault extends Pick<OwnChainWarning, 'reason' | 'severity' | 'problem' | 'cause'> {
  readonly certificate: X509Certificate;
  /** What is done about it, as the rest of the sentence. */
  readonly consequence?: string;
  /** The whole sentence, where it is about more than the certificate. */
  readonly message?: string;
  readonly fatal?: boolean;
}

interface Stages {
  readonly unique: readonly X509Certificate[];
  readonly strong: readonly X509Certificate[];
  readonly chain: readonly X509Certificate[];
}

function orderFaults(
  given: readonly X509Certificate[],
  { unique, strong, chain }: Stages,
  anchors: readonly X509Certificate[],
): ChainFault[] {
  const severity = isUsableAsGiven({ strong, chain }, anchors) ? 'warning' : 'error';
  const fault = (certificate: X509Certificate, problem: string, consequence: string): ChainFault => ({
    ...{ reason: 'chain', certificate, severity, problem, consequence },
  });
  const twice = given.filter((one) => !unique.includes(one));
  const unrelated = strong.filter((one) => !chain.includes(one));
  const early = chain.filter((one, index) => given.indexOf(one) < given.indexOf(chain[index - 1] ?? one));
  return [
    ...twice.map((one) => fault(one, 'stands there twice', '; it is sent once')),
    ...unrelated.map((one) => fault(one, unusedFor(one, strong), "; it isn't sent")),
    ...early.map((one) => fault(one, 'is out of order', '; the chain is sent leaf first')),
  ];
}

/** Whether most peers find the path in what was given: the leaf is first, and where others follow, its issuer is known. */
function isUsableAsGiven(
  { strong, chain }: Pick<Stages, 'strong' | 'chain'>,
  anchors: readonly X509Certificate[],
): boolean {
  const [leaf, ...others] = strong as [X509Certificate, ...X509Certificate[]];
  if (others.some((one) => mayHaveIssued(leaf, one))) return false;
  // Without its issuer a peer that has only the root finds no path.
  return (
    others.length === 0 ||
    chain.length > 1 ||
    [leaf, ...anchors].some((issuer) => mayHaveIssued(issuer, leaf))
  );
}

/** Peers pass over a weak certificate where there is another for it; else none of them has a path. */
function weaknessFaults(
  { unique, strong, chain }: Stages,
  anchors: readonly X509Certificate[],
): ChainFault[] {
  const reason = 'weak';
  const isIssued = (one: X509Certificate): boolean =>
    isRoot(one) || [...chain, ...anchors].some((other) => other !== one && mayHaveIssued(other, one));
  const isNeeded = (weak: X509Certificate): boolean =>
    chain.some((one) => mayHaveIssued(weak, one) && !isIssued(one));
  return unique.flatMap((certificate): ChainFault[] => {
    if (!strong.includes(certificate)) {
      const problem = certificateWeakness(certificate) as string;
      const severity = isNeeded(certificate) ? 'error' : 'warning';
      return [{ reason, certificate, severity, problem, consequence: "; it isn't sent" }];
    }
    // The leaf's own weakness is a refusal.
    const signature =
      certificateWeakness(certificate) === undefined ? signatureWeakness(certificate) : undefined;
    if (signature === undefined || !chain.includes(certificate)) return [];
    return [{ reason, certificate, severity: 'warning', problem: `is signed with ${signature}` }];
  });
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

/**
 * Clients have roots and, above the issuing CA, often other certificates of the same CAs: a cross-signed twin that has
 * expired is passed over. The leaf has no twin, and an issuing CA's would have to be in our file.
 */
function dateFaults(chain: readonly X509Certificate[], { now, anchors }: OwnChainContext): ChainFault[] {
  const leaf = chain[0] as X509Certificate;
  const issuers = isRoot(leaf) ? [] : chain.filter((one) => one !== leaf && mayHaveIssued(one, leaf));
  const isAnyIssuerValid = [...issuers, ...anchors.filter((anchor) => mayHaveIssued(anchor, leaf))].some(
    (issuer) => isWithinDates(issuer, now),
  );
  return chain.flatMap((certificate): ChainFault[] => {
    const found = dateProblem(certificate, now);
    if (found === undefined) return [];
    const fatal = certificate === leaf || (issuers.includes(certificate) && !isAnyIssuerValid);
    return [{ ...found, certificate, fatal, severity: fatal ? 'error' : 'warning' }];
  });
}

function dateProblem(
  { notBefore, notAfter }: X509Certificate,
  now: number,
): Pick<ChainFault, 'reason' | 'problem'> | undefined {
  if (now > notAfter.getTime()) return { reason: 'expired', problem: `expired on ${notAfter.toISOString()}` };
  if (now >= notBefore.getTime()) return undefined;
  return { reason: 'not-yet-valid', problem: `isn't valid before ${notBefore.toISOString()}` };
}

function isWithinDates(certificate: X509Certificate, now: number): boolean {
  return now <= certificate.notAfter.getTime() && now >= certificate.notBefore.getTime();
}

/**
 * What a peer would say that trusts the end of the chain: contradictions, CAs that may not sign, path lengths, name
 * constraints, key identifiers, usage. Dates are looked at above, where more is known of them.
 */
function refusalFaults(
  chain: readonly X509Certificate[],
  { now, file, anchors }: OwnChainContext,
): ChainFault[] {
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
  // The one at fault may be an anchor of ours, which isn't shown.
  const certificate = chain.find(({ der }) => verdict.certificate?.der.equals(der) === true) ?? leaf;
  const { message: problem, reason: cause } = verdict;
  return [{ reason: 'refused', certificate, severity: 'error', message, problem, cause }];
}

/** RFC 9881 and its TLS counterpart define ML-DSA for TLS 1.3 alone. */
export function isTls13Only({ publicKeyInfo: { kind } }: X509Certificate): boolean {
  return kind.type.startsWith('ml-dsa-');
}

function versionFaults(leaf: X509Certificate): ChainFault[] {
  if (!isTls13Only(leaf)) return [];
  const problem = `has a key of ${leaf.publicKeyInfo.kind.type.toUpperCase()}, which only TLS 1.3 has: peers that speak TLS 1.2 can't connect`;
  return [{ reason: 'tls13-only', certificate: leaf, severity: 'notice', problem }];
}

const isRoot = (certificate: X509Certificate): boolean =>
  certificate.isSelfIssued && certificate.isSelfSigned;

function named(file: string | undefined): string {
  return file === undefined ? '' : ` in ${file}`;
}
