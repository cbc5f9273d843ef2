/** The type of a rule: it evaluates evidence, and says what is wrong, why that matters and what to do. */
import type { CertificateRevocationList, OwnChain, X509Certificate } from '@knsock/core/x509';
import type { Severity } from '../severity.js';
import type { EndpointEvidence } from './endpoint-evidence.js';
import type { Readers } from './key-readers.js';
import type { TrustResult } from './trust-result.js';

/** A chain from any source, with its context. */
export interface ChainEvidence {
  /** The leaf first. */
  readonly chain: readonly X509Certificate[];
  readonly at: Date;
  /** Whether the first certificate is a peer's own, CA or not: a server sent it, or its private key is beside it. */
  readonly isOwn: boolean;
  /** As a server or client with this chain would send it; null for CA certificates alone, which no peer sends. */
  readonly own: OwnChain | null;
  /** The owner's trust anchors. */
  readonly anchors: readonly X509Certificate[];
  /** Whether there is a revocation list for it. */
  readonly hasCrl: boolean;
}

/** A private key, and the certificate that it was given for. */
export interface KeyEvidence {
  readonly keyFile: string;
  /** Its permission bits. */
  readonly keyMode: number;
  /** The users who can read it, by its permissions and those of the parent folders. */
  readonly keyReaders: Readers;
  /** Whether the key is the certificate's; `'none'`: it is that of no certificate given. */
  readonly keyMatches: boolean | 'none';
}

/** A chain in files, where there is a trust anchor. */
interface VerificationEvidence {
  /** The result of path validation. */
  readonly verdict: TrustResult;
}

/** A finding of a rule. */
export interface Found {
  readonly severity: Severity;
  readonly evidence: string;
}

/** Description of a rule. */
export interface RuleText {
  /** Stable: baselines and exit codes refer to it. */
  readonly id: string;
  /** What it looks at, in a few words. */
  readonly title: string;
  /** The severities of its findings. */
  readonly severities: readonly Severity[];
  readonly why: string;
  readonly fix: string;
}

export interface Rule<Evidence> extends RuleText {
  /** What is wrong; null for nothing. */
  readonly check: (evidence: Evidence) => Found | null;
}

/** A file to be checked. */
interface FileEvidence {
  /** Why it can't be read as what it appears to be. */
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
export type KeyRule = Rule<KeyEvidence>;
export type VerificationRule = Rule<VerificationEvidence>;
export type EndpointRule = Rule<EndpointEvidence>;
