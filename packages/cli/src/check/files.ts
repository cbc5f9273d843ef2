/** Checks files: certificates, each with its key and CA among the given files, and revocation lists. */
import type { CertificateRevocationList, RevocationPolicyOptions, X509Certificate } from '@knsock/core/x509';
import { UsageError } from '../usage-error.js';
import { chainEvidence } from './chain-evidence.js';
import { judge, merged, type TargetReport } from './findings.js';
import { chainRules, fileRules, filesRules, listRules } from './rules.js';
import { sortFiles, type CertificateFile, type KeyFile, type SortedFiles } from './sorted-files.js';
import type { TrustResult } from './trust-result.js';

export interface CheckFilesOptions {
  /** CAs to trust; default the roots among the checked files. */
  readonly trusted: readonly X509Certificate[];
  /** Passphrase of PKCS#12 files. */
  readonly passphrase: string | undefined;
  /** Friendly name of the key in PKCS#12 files. */
  readonly keyName?: string | undefined;
  readonly at: Date;
  /** Lists given in addition to the files. */
  readonly lists?: SortedFiles['lists'] | undefined;
  /** The revocation policy for the lists among the files; default that of `crlFile` on a connection. */
  readonly revocation?: RevocationPolicyOptions | undefined;
}

export async function checkFiles(
  files: readonly string[],
  { trusted, passphrase, keyName, at, lists = [], revocation }: CheckFilesOptions,
): Promise<TargetReport[]> {
  const found = withLists(await sortFiles(files, passphrase, keyName), lists);
  requireLists(found, revocation);
  const among = found.certificates.flatMap(({ chain, others }) => [...chain, ...others]);
  const roots = among.filter(
    (certificate) => certificate.isSelfIssued && certificate.basicConstraints?.ca === true,
  );
  // Explicitly trusted certificates are the only anchors, of any kind: a chain can't vouch for itself.
  const anchors = trusted.length > 0 ? trusted : roots;
  const unreadable = found.unreadable.map(({ file, problem }) => judge(file, fileRules, { problem }));
  const checked = found.certificates.map((one) => checkOne(one, found, { anchors, at, revocation }));
  const ofLists = found.lists.map(({ file, crls }) =>
    merged([judge(file, fileRules, { problem: undefined }), judge(file, listRules, { crls, at })]),
  );
  const others = found.others.map((file) => judge(file, fileRules, { problem: undefined }));
  return [...unreadable, ...(await Promise.all(checked)), ...ofLists, ...others];
}

/** One that is also among the files is checked once. */
function withLists(found: SortedFiles, lists: SortedFiles['lists']): SortedFiles {
  const isFound = (file: string): boolean => found.lists.some((list) => list.file === file);
  return { ...found, lists: [...found.lists, ...lists.filter(({ file }) => !isFound(file))] };
}

/** A policy without a list would have no effect; a file that can't be read may be one, and is reported. @throws UsageError */
function requireLists(
  { lists, unreadable }: SortedFiles,
  revocation: RevocationPolicyOptions | undefined,
): void {
  if (revocation === undefined || lists.length > 0 || unreadable.length > 0) return;
  throw new UsageError(
    'no revocation list is among the files',
    "Give the list's file beside them, or --crl: without a list revocation isn't looked at.",
  );
}

interface Trust extends Pick<CheckFilesOptions, 'at' | 'revocation'> {
  readonly anchors: readonly X509Certificate[];
}

async function checkOne(
  { file, chain }: CertificateFile,
  { keys, certificates, lists }: SortedFiles,
  { anchors, at, revocation }: Trust,
): Promise<TargetReport> {
  const leaf = chain[0];
  const key = keyOf(file, leaf, keys, certificates.length === 1);
  const isAuthority = leaf?.basicConstraints?.ca === true;
  return merged([
    judge(file, fileRules, { problem: undefined }),
    judge(file, chainRules, chainEvidence({ chain, at, isShown: false, anchors, hasCrl: lists.length > 0 })),
    judge(file, filesRules, {
      keyFile: key?.file,
      keyMode: key?.mode,
      keyReaders: key?.readers,
      keyMatches: key && leaf !== undefined && key.publicKey.equals(leaf.publicKeyInfo.der),
      verdict:
        isAuthority || anchors.length === 0
          ? undefined
          : await verdictOn(
              chain,
              lists.flatMap(({ crls }) => crls),
              { anchors, at, revocation },
            ),
    }),
  ]);
}

/** The matching key, else the probably intended one: of the same name, or the only one. */
function keyOf(
  file: string,
  leaf: X509Certificate | undefined,
  keys: readonly KeyFile[],
  alone: boolean,
): KeyFile | undefined {
  const fitting = keys.find((key) => leaf !== undefined && key.publicKey.equals(leaf.publicKeyInfo.der));
  const base = file.replace(/\.\w+$/, '');
  return fitting ?? keys.find((key) => key.file.startsWith(`${base}.`)) ?? (alone ? keys[0] : undefined);
}

async function verdictOn(
  [leaf, ...intermediates]: readonly X509Certificate[],
  crls: readonly CertificateRevocationList[],
  trust: Trust,
): Promise<TrustResult> {
  const { verifyPath } = await import('@knsock/core/x509');
  const judged = leaf as X509Certificate;
  const usage = judged.extendedKeyUsage?.includes('1.3.6.1.5.5.7.3.1') === false ? 'client' : 'server';
  const verdict = await verifyPath({ leaf: judged, intermediates, crls, usage, ...trust });
  return verdict.ok ? { ok: true } : { ok: false, words: `${verdict.reason}: ${verdict.message}` };
}
