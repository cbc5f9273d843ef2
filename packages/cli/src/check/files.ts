/** Checks files: certificates, each with its key and CA among the given files, and revocation lists. */
import type {
  CertificateRevocationList,
  PolicyOptions,
  RevocationPolicyOptions,
  X509Certificate,
} from '@knsock/core/x509';
import { UsageError } from '../usage-error.js';
import { chainEvidence } from './chain-evidence.js';
import { judge, merged, type TargetReport } from './findings.js';
import { isForOwnUse, pairUp, type PairedKey, type Pairing } from './pairing.js';
import type { KeyEvidence } from './rule.js';
import { chainRules, fileRules, keyRules, listRules, verificationRules } from './rules.js';
import { sortFiles, type CertificateFile, type KeyFile, type SortedFiles } from './sorted-files.js';
import type { TrustResult } from './trust-result.js';

export interface CheckFilesOptions {
  /** CAs to trust; default the roots among the checked files. */
  readonly trusted: readonly X509Certificate[];
  /** Passphrase of PKCS#12 files and encrypted keys. */
  readonly passphrase: string | undefined;
  /** Friendly name of the key in PKCS#12 files. */
  readonly keyName?: string | undefined;
  readonly at: Date;
  /** Lists given in addition to the files. */
  readonly lists?: SortedFiles['lists'] | undefined;
  /** The revocation policy for the lists among the files; default that of `crlFile` on a connection. */
  readonly revocation?: RevocationPolicyOptions | undefined;
  /** Certificate policies that chains must hold; default: what their CAs require. */
  readonly policies?: PolicyOptions | undefined;
  /** Receives files that the system doesn't let be read. */
  readonly unread?: ((file: string, cause: unknown) => void) | undefined;
}

export async function checkFiles(
  files: readonly string[],
  { trusted, passphrase, keyName, at, lists = [], revocation, policies, unread }: CheckFilesOptions,
): Promise<TargetReport[]> {
  const found = withLists(await sortFiles(files, passphrase, keyName), lists);
  for (const { file, cause } of found.unread) unread?.(file, cause);
  requireLists(found, revocation);
  const among = found.certificates.flatMap(({ chain, others }) => [...chain, ...others]);
  const roots = among.filter(
    (certificate) => certificate.isSelfIssued && certificate.basicConstraints?.ca === true,
  );
  // Explicitly trusted certificates are the only anchors, of any kind: a chain can't vouch for itself.
  const anchors = trusted.length > 0 ? trusted : roots;
  const pairing = pairUp(found);
  const wholeChains = wholeChainsAmong(found.certificates);
  const context = { found, pairing, among, wholeChains, trust: { anchors, at, revocation, policies } };
  const unreadable = found.unreadable.map(({ file, problem }) => judge(file, fileRules, { problem }));
  const checked = found.certificates.map((one) => checkOne(one, context));
  const ofLists = found.lists.map(({ file, crls }) =>
    merged([readableReport(file), judge(file, listRules, { crls, at })]),
  );
  const others = found.others.map(({ file }) => readableReport(file));
  return [
    ...unreadable,
    ...(await Promise.all(checked)),
    ...pairing.strays.map(strayReport),
    ...lockedAlone(found).map((file) => ({ ...readableReport(file), notes: [NOT_OPENED] })),
    ...ofLists,
    ...others,
  ];
}

const NOT_OPENED =
  'the private key is not checked: it is encrypted, and there is no --passphrase-file or KNSOCK_PASSPHRASE';

const REQUEST_BESIDE = 'a certificate request stands among the certificates, which nobody looks at there';

const readableReport = (file: string): TargetReport => judge(file, fileRules, { problem: undefined });

function strayReport(key: KeyFile): TargetReport {
  return merged([readableReport(key.file), judge(key.file, keyRules, keyEvidence(key, 'none'))]);
}

/** Those in a file of their own: others are noted with the certificate beside them. */
function lockedAlone({ locked, certificates }: SortedFiles): string[] {
  return locked.filter((file) => !certificates.some((one) => one.file === file));
}

/** One that is also among the files is checked once. */
function withLists(found: SortedFiles, lists: SortedFiles['lists']): SortedFiles {
  const isFound = (file: string): boolean => found.lists.some((list) => list.file === file);
  return { ...found, lists: [...found.lists, ...lists.filter(({ file }) => !isFound(file))] };
}

/** A policy without a list would have no effect; a file that can't be read may be one, and is reported. @throws UsageError */
function requireLists(
  { lists, unreadable, unread }: SortedFiles,
  revocation: RevocationPolicyOptions | undefined,
): void {
  if (revocation === undefined || lists.length + unreadable.length + unread.length > 0) return;
  throw new UsageError(
    'no revocation list is among the files',
    "Give the list's file beside them, or --crl: without a list revocation isn't looked at.",
  );
}

interface Trust extends Pick<CheckFilesOptions, 'at' | 'revocation' | 'policies'> {
  readonly anchors: readonly X509Certificate[];
}

interface Context {
  readonly found: SortedFiles;
  readonly pairing: Pairing;
  /** The files that hold a certificate with its issuers, by its fingerprint. */
  readonly wholeChains: ReadonlyMap<string, CertificateFile>;
  /** Every certificate in the files. */
  readonly among: readonly X509Certificate[];
  readonly trust: Trust;
}

async function checkOne(
  one: CertificateFile,
  { found, pairing, among, wholeChains, trust }: Context,
): Promise<TargetReport> {
  const { file } = one;
  const { chain, file: chainFile } = withChain(one, wholeChains);
  const [leaf] = chain;
  const { anchors, at } = trust;
  const pair = pairing.keyOf(one);
  const isCa = leaf?.basicConstraints?.ca === true;
  const isOwn = leaf !== undefined && pair?.matches === true && (!isCa || isForOwnUse(leaf, among));
  const crls = found.lists.flatMap((list) => list.crls);
  const evidence = chainEvidence({ chain, at, isOwn, anchors, hasCrl: crls.length > 0 });
  const reports = [readableReport(file), judge(file, chainRules, evidence)] as const;
  const isVerified = (isOwn || !isCa) && anchors.length > 0;
  const report = merged([
    ...reports,
    ...(isVerified ? [judge(file, verificationRules, { verdict: await verdictOn(chain, crls, trust) })] : []),
    ...(pair === undefined ? [] : [judge(file, keyRules, keyEvidence(pair.key, pair.matches))]),
  ]);
  const notes = notesOn(one, pair, found.locked.includes(file));
  return { ...report, notes: chainFile === file ? notes : [...notes, `its chain is in ${chainFile}`] };
}

/** certbot and others write a certificate alone, and beside it once more with its chain. */
function withChain(one: CertificateFile, whole: Context['wholeChains']): CertificateFile {
  const [leaf] = one.chain;
  return one.chain.length > 1 || leaf === undefined ? one : (whole.get(leaf.fingerprint256) ?? one);
}

/** Of several files with the same one, the first counts. */
function wholeChainsAmong(all: readonly CertificateFile[]): Context['wholeChains'] {
  const whole = all.filter(({ chain }) => chain.length > 1).reverse();
  return new Map(whole.map((one) => [(one.chain[0] as X509Certificate).fingerprint256, one]));
}

function notesOn(
  { file, keyName, hasRequest }: CertificateFile,
  pair: PairedKey | undefined,
  isLocked: boolean,
): string[] {
  const besides = hasRequest === true ? [REQUEST_BESIDE] : [];
  if (isLocked) return [NOT_OPENED, ...besides];
  if (keyName !== undefined) return [`the key ${JSON.stringify(keyName)} and its chain`];
  const isElsewhere = pair?.matches === true && pair.key.file !== file;
  return isElsewhere ? [`its key is ${pair.key.file}`, ...besides] : besides;
}

function keyEvidence({ file, mode, readers }: KeyFile, matches: boolean | 'none'): KeyEvidence {
  return { keyFile: file, keyMode: mode, keyReaders: readers, keyMatches: matches };
}

async function verdictOn(
  [leaf, ...intermediates]: readonly X509Certificate[],
  crls: readonly CertificateRevocationList[],
  trust: Trust,
): Promise<TrustResult> {
  const { usageOf, verifyPath } = await import('@knsock/core/x509');
  const judged = leaf as X509Certificate;
  const usage = usageOf(judged);
  const verdict = await verifyPath({ leaf: judged, intermediates, crls, usage, ...trust });
  return verdict.ok ? { ok: true } : { ok: false, words: `${verdict.reason}: ${verdict.message}` };
}
