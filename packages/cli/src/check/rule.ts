/** What a rule is: it looks at evidence, and says what is wrong, why that matters and what to do. */
import type { CertificateRevocationList, OwnChain, X509Certificate } from '@knsock/core/x509';
import type { Severity } from '../severity.js';
import type { EndpointEvidence } from './endpoint-evidence.js';
import type { Readers } from './key-readers.js';
import type { TrustResult } from './trust-result.js';

/** A chain, wherever it was found, with what is known around it. */
export interface ChainEvidence {
  /** The leaf first. */
  readonly chain: readonly X509Certificate[];
  readonly at: Date;
  /** Whether a server showed it: then its first certificate is the server’s own, whatever it says of itself. */
  readonly isShown: boolean;
  /** What a server that starts with it would say, or a client; null for certificates of CAs alone, which nobody shows. */
  readonly own: OwnChain | null;
  /** Whom its owner trusts. */
  readonly anchors: readonly X509Certificate[];
  /** Whether a revocation list lies beside it. */
  readonly hasCrl: boolean;
}

/** Files that belong together. */
export interface FilesEvidence {
  readonly keyFile: string | undefined;
  /** Its permission bits. */
  readonly keyMode: number | undefined;
  /** Who can read it, by its bits and those of the folders above. */
  readonly keyReaders: Readers | undefined;
  /** Whether the key is the certificate's; undefined without a key. */
  readonly keyMatches: boolean | undefined;
  /** The result of path validation; undefined without a trust anchor. */
  readonly verdict: TrustResult | undefined;
}

/** What a rule saw. */
interface Found {
  readonly severity: Severity;
  readonly evidence: string;
}

/** What a rule says of itself. */
export interface RuleText {
  /** Stable: baselines and exit codes go by it. */
  readonly id: string;
  /** What it looks at, in a few words. */
  readonly title: string;
  /** How bad its findings can be. */
  readonly severities: readonly Severity[];
  readonly why: string;
  readonly fix: string;
}

export interface Rule<Evidence> extends RuleText {
  /** What is wrong; null where nothing is. */
  readonly check: (evidence: Evidence) => Found | null;
}

/** A file that was to be checked. */
interface FileEvidence {
  /** Why it can't be read as what it seems to be. */
  readonly problem: string | undefined;
}

/** The revocation lists of a file. */
interface ListEvidence {
  readonly crls: readonly CertificateRevocationList[];
  readonly at: Date;
}

export type ListRule = Rule<ListEvidence>;
export type FileRule = Rule<FileEvidence>;
export type ChainRule = Rule<ChainEvidence>;
export type FilesRule = Rule<FilesEvidence>;
export type EndpointRule = Rule<EndpointEvidence>;
