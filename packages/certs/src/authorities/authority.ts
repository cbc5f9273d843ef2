/** Certificate authorities: they sign and revoke certificates. */
import { isIssuedBy, parseCertificate, publicHalf, type X509Certificate } from '@knsock/core/x509';
import {
  abortSignal,
  checkOptions,
  number,
  readAllOptions,
  string,
  withDefault,
  type OptionReaders,
} from '@knsock/core/options';
import { InvalidOptionError } from '@knsock/core/errors';
import {
  authorityKey,
  authorityOptions,
  signAuthority,
  type AuthorityKey,
  type AuthorityOptions,
} from '../issuing/authority-certificate.js';
import { signCrl, type Crl, type RevocationReason, type RevocationRecord } from '../revocation/crl.js';
import { csrFacts, type CsrInfo } from '../issuing/csr.js';
import {
  issueOptions,
  leafKey,
  leafNames,
  leafValidity,
  signLeaf,
  type Issued,
  type IssueOptions,
  type LeafPlan,
} from '../issuing/issue.js';
import { checkStrength, privateKeyPem, openPrivateKey } from '../keys/keys.js';
import { checkSigner, keyAtHand, keyOf, type Signer } from '../keys/signer.js';
import { CertificateError } from '../errors.js';
import { MemoryLedger, type Ledger } from './ledger.js';
import { renewalRefusal } from './renewable.js';
import { placementOptions, type Placement } from '../issuing/record.js';
import { permittedSubject } from '../issuing/permitted-subject.js';
import { resolveRevocation } from './revoke.js';
import {
  checkRequest,
  readPolicy,
  type SigningPolicy,
  type SigningSettings,
} from '../issuing/signing-policy.js';
import { readSigningAuthority, type SigningAuthority } from '../issuing/signing-authority.js';
import { source, type Source } from '../files/source.js';
import { readLastList } from '../revocation/last-list.js';
import { CRL_DAYS, crlDates } from '../issuing/validity.js';
import { x509Library, type X509Library } from '../x509.js';

/** Options of `Authority.crl`. */
export interface CrlOptions {
  /** Days until the next list is due; default 7. */
  readonly days?: number | undefined;
  /** Ends the wait for the authority's signer. */
  readonly signal?: AbortSignal | undefined;
}

/** How each of them is read, and its default; days are checked where they are used. */
export const crlOptions = {
  days: withDefault<number>(number, CRL_DAYS),
  signal: abortSignal,
} as const satisfies OptionReaders<CrlOptions>;

/** The result of signing a request; PEM. */
export interface Signed extends Omit<Issued, 'key'> {
  /** What was requested but not granted: names of other kinds, subject fields, identifiers of extensions. */
  readonly dropped: readonly string[];
}

/** Signs and revokes certificates. */
export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** PEM (PKCS#8), as it was given or is stored: encrypted if the store has a passphrase; undefined if a signer holds it. */
  readonly key: string | undefined;
  /** PEM: its certificate, then those above it, the root last. */
  readonly chain: string;
  /** PEM of the root, the peers' trust anchor (`caFile`). */
  readonly root: string;
  /**
   * Issues a certificate with a key of its own.
   * @throws CertificateError for names outside its constraints, too many days, options that can't be used, or
   * `KNSOCK_CERTIFICATE_SIGNER`.
   */
  issue(options: IssueOptions): Promise<Issued>;
  /**
   * Signs a request (PEM, DER, or as `readCsr` read it) as far as the policy allows; the requester keeps the private
   * key.
   * @throws CertificateError `KNSOCK_CERTIFICATE_POLICY`, `_REQUEST_SIGNATURE`, or as `issue`.
   */
  sign(csr: string | Uint8Array | CsrInfo, policy: SigningPolicy): Promise<Signed>;
  /**
   * Checks a request as `sign` does, without signing.
   * @throws CertificateError as `sign`.
   */
  check(csr: string | Uint8Array | CsrInfo, policy: SigningPolicy): Promise<void>;
  /**
   * Creates an authority below this one.
   * @throws CertificateError `KNSOCK_CERTIFICATE_PATH_LENGTH` if its path length doesn't allow one.
   */
  intermediate(options: AuthorityOptions & Placement): Promise<Authority>;
  /**
   * Revokes a certificate: a PEM text, PEM or DER bytes, `{ file }`, its serial (hex) or its SHA-256 fingerprint
   * (64 hex digits, colons or not). Every later list contains it. A second revocation changes nothing, except that
   * one for any other reason ends `certificate-hold`, with the date of the hold.
   * @param reason Default `unspecified`.
   * @returns what is recorded now, and whether this call changed it
   * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_ISSUED_HERE`; InvalidOptionError for an unknown reason.
   */
  revoke(certificate: Source, reason?: RevocationReason): Promise<RevocationRecord>;
  /**
   * Refuses a certificate that isn't to be renewed: one that was revoked here or, in a store, has a name that is barred
   * from renewal. `renew` and authority servers ask this.
   * @param what is said of it in the error; default its serial
   * @throws CertificateError `KNSOCK_CERTIFICATE_ENROLMENT`
   */
  checkRenewal(certificate: X509Certificate, what?: string): Promise<void>;
  /**
   * Signs a new revocation list, with the next number.
   * @throws CertificateError `KNSOCK_CERTIFICATE_VALIDITY` for less than a minute.
   */
  crl(options?: CrlOptions): Promise<Crl>;
}

/**
 * Creates a root authority in memory; `openStore` keeps one on disk.
 * @throws CertificateError for options that can't be used.
 */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const read = readAllOptions(options, authorityOptions);
  const library = await x509Library();
  const key = await authorityKey(read);
  const { certificate } = await signAuthority(library, read, key.signing);
  return authorityFrom(library, certificate, key, new MemoryLedger());
}

/** What `loadAuthority` loads. */
export interface AuthorityFiles {
  /** PEM: the authority's certificate first, its issuers after it. */
  readonly chain: string;
  /** PEM; or `signer`. */
  readonly key?: string | undefined;
  /** Signs in place of a key. */
  readonly signer?: Signer | undefined;
  /** Opens `key` where that is encrypted. */
  readonly passphrase?: string | undefined;
  /** Its last revocation list: the entries stay revoked, and the CRL numbers continue. Without it they start at 1. */
  readonly crl?: Source | undefined;
}

const fileReaders: OptionReaders<AuthorityFiles> = {
  chain: string,
  key: string,
  signer: checkSigner,
  passphrase: string,
  crl: source,
};

/**
 * Loads an authority made elsewhere, in memory; what it issued before isn't known, so revoke that by certificate.
 * @throws CertificateError if the files don't match each other.
 */
export async function loadAuthority(files: AuthorityFiles): Promise<Authority> {
  checkOptions(files, fileReaders);
  const library = await x509Library();
  const key = await loadedKey(files);
  const signing = readSigningAuthority(library, files.chain, key.signing);
  const last = files.crl === undefined ? undefined : await readLastList(files.crl, signing.certificate);
  return new LedgerAuthority(library, signing, key.pem, new MemoryLedger(last));
}

async function loadedKey({ key, signer, passphrase }: AuthorityFiles): Promise<AuthorityKey> {
  if (signer !== undefined && key === undefined) return { signing: keyOf(signer), pem: undefined };
  if (key === undefined || signer !== undefined)
    throw new InvalidOptionError('key', 'an authority signs with a key or a signer: give one of them');
  return { signing: keyAtHand(await openPrivateKey(key, passphrase)), pem: key };
}

/** Joins a chain, its key and a ledger into an authority. */
export function authorityFrom(
  library: X509Library,
  chain: string,
  { signing, pem }: AuthorityKey,
  ledger: Ledger,
): Authority {
  return new LedgerAuthority(library, readSigningAuthority(library, chain, signing), pem, ledger);
}

class LedgerAuthority implements Authority {
  readonly certificate: string;
  readonly key: string | undefined;
  readonly chain: string;
  readonly root: string;
  readonly #library: X509Library;
  readonly #signing: SigningAuthority;
  readonly #ledger: Ledger;

  constructor(library: X509Library, signing: SigningAuthority, key: string | undefined, ledger: Ledger) {
    ({ certificate: this.certificate, chain: this.chain, root: this.root } = signing);
    this.key = key;
    this.#library = library;
    this.#signing = signing;
    this.#ledger = ledger;
  }

  async issue(given: IssueOptions): Promise<Issued> {
    const options = readAllOptions(given, issueOptions);
    const names = leafNames(options.kind, options);
    const subject = permittedSubject(this.#signing, options, names);
    const validity = leafValidity(options, this.#signing.notAfter);
    const key = await leafKey(options);
    const { kind, crlUrls } = options;
    const plan = { kind, names, subject, validity, publicKey: publicHalf(key), crlUrls };
    const { certificate, record } = await signLeaf(this.#library, plan, this.#signing, options.signal);
    const issued = { certificate, key: privateKeyPem(key), chain: certificate + this.#issuersBelowRoot() };
    const files = await this.#ledger.record(record, issued, options);
    return files === undefined ? issued : { ...issued, files };
  }

  async check(csr: string | Uint8Array | CsrInfo, policy: SigningPolicy): Promise<void> {
    await this.#plan(csr, readPolicy(policy));
  }

  async sign(csr: string | Uint8Array | CsrInfo, given: SigningPolicy): Promise<Signed> {
    const policy = readPolicy(given);
    const { plan, dropped } = await this.#plan(csr, policy);
    const { certificate, record } = await signLeaf(this.#library, plan, this.#signing, policy.signal);
    const signed = { certificate, chain: certificate + this.#issuersBelowRoot() };
    const { reference } = policy;
    const noted = reference === undefined ? record : { ...record, reference };
    const files = await this.#ledger.record(noted, signed, policy);
    return { ...signed, dropped, ...(files === undefined ? {} : { files }) };
  }

  async #plan(
    csr: string | Uint8Array | CsrInfo,
    policy: SigningSettings,
  ): Promise<{ plan: LeafPlan; dropped: string[] }> {
    const facts = await csrFacts(csr);
    const { names, subject: granted, dropped } = checkRequest(facts, policy);
    checkStrength(facts.publicKey);
    const subject = permittedSubject(this.#signing, granted, names);
    const validity = leafValidity(policy, this.#signing.notAfter);
    const { kind, crlUrls } = policy;
    return {
      plan: { kind, names, subject, validity, publicKey: facts.publicKey, crlUrls },
      dropped: [...dropped],
    };
  }

  async intermediate(given: AuthorityOptions & Placement): Promise<Authority> {
    const options = readAllOptions(given, { ...authorityOptions, ...placementOptions });
    const key = await authorityKey(options);
    const { certificate, record } = await signAuthority(this.#library, options, key.signing, this.#signing);
    const material = {
      certificate,
      chain: certificate + this.chain,
      key: key.pem && (await this.#ledger.protect(key.pem)),
    };
    const files = await this.#ledger.record(record, material, options);
    return authorityFrom(
      this.#library,
      material.chain,
      { ...key, pem: material.key },
      this.#ledger.below(record, files),
    );
  }

  async revoke(certificate: Source, reason: RevocationReason = 'unspecified'): Promise<RevocationRecord> {
    return this.#ledger.revoke(await resolveRevocation(certificate, reason, this.certificate, this.#ledger));
  }

  async checkRenewal(
    certificate: X509Certificate,
    what = `the certificate ${certificate.serial}`,
  ): Promise<void> {
    const isOwn = isIssuedBy(certificate, parseCertificate(this.certificate));
    const refusal = renewalRefusal(await this.#ledger.standing(certificate, isOwn));
    if (refusal === undefined) return;
    const { message, hint } = refusal;
    throw new CertificateError('KNSOCK_CERTIFICATE_ENROLMENT', `${what} ${message}`, { hint });
  }

  async crl(options: CrlOptions = {}): Promise<Crl> {
    const { days, signal } = readAllOptions(options, crlOptions);
    const { subject: issuer, keyIdentifier: issuerKeyIdentifier, key } = this.#signing;
    return this.#ledger.publish((number, revoked) => {
      const dates = crlDates(days, new Date());
      return signCrl(this.#library, { issuer, issuerKeyIdentifier, number, revoked, ...dates }, key, signal);
    });
  }

  /** What a leaf's chain carries after the leaf: the root is left out, since the other side has it. */
  #issuersBelowRoot(): string {
    return this.chain.slice(0, this.chain.length - this.root.length);
  }
}
