/**
 * Enrolment by token and renewal by certificate (RFC 7030). What is granted comes from the token, or from the certificate
 * being renewed; a request adds nothing to it.
 *
 * Rules
 * - A request's own signature is checked before it is compared with anything.
 * - Whether the authority can sign is checked before a use of the token is spent on a key.
 * - A token is bound to the request's key, durably, before a certificate is signed. The same key gets the same
 *   certificate again; once all uses are spent, any other key is refused.
 * - After a crash between signing and recording it in the tokens' journal, the store's index has the certificate
 *   with its token and key: it is found by them, and no second one is signed.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { parseCertificate, publicHalf, type X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { readBytes } from '../files/atomic-file.js';
import type { HeldLock } from '../files/process-lock.js';
import type { Authority } from '../authorities/authority.js';
import { renewalRefusal } from '../authorities/renewable.js';
import { readCsr, type CsrInfo } from '../issuing/csr.js';
import { checkStrength } from '../keys/keys.js';
import { checkRequest, readPolicy, outsidePatterns, type SigningPolicy } from '../issuing/signing-policy.js';
import { parseNames } from '../issuing/names.js';
import { readSubject, subjectText } from '../issuing/subject.js';
import type { Store } from '../store/store.js';
import type { StoredCertificate } from '../store/store-index.js';
import { x509Library } from '../x509.js';
import { askPolicy, type EnrolmentPolicy, type EnrolmentRequest } from './policy.js';
import { EnrolmentRefusal } from './refusal.js';
import { fillTemplates } from './templates.js';
import { secretMatches, type TokenSecret } from './token.js';
import { TokenJournal, type TokenGrant, type TokenState } from '../store/token-journal.js';

export interface EnrolmentSettings {
  readonly store: Store;
  readonly authority: Authority;
  /** Of renewed certificates; undefined: that of the certificate being renewed. */
  readonly renewDays: number | undefined;
  /** Maximum validity of any certificate. */
  readonly maxDays: number;
  /** How long after expiry a certificate can be renewed, in ms. */
  readonly expiredGrace: number;
  /** Patterns that every name must match; undefined: any name. */
  readonly permit: readonly string[] | undefined;
  readonly policy: EnrolmentPolicy | undefined;
  readonly crlUrls: readonly string[];
}

/** A request and its origin. */
export interface Asking {
  /** DER. */
  readonly csr: Buffer;
  readonly from: string;
}

type Asked = Omit<EnrolmentRequest, 'names' | 'commonName' | 'days' | 'kind'>;

export class Enrolment {
  readonly #settings: EnrolmentSettings;
  readonly #journal: TokenJournal;

  constructor(settings: EnrolmentSettings) {
    this.#settings = settings;
    this.#journal = new TokenJournal(settings.store.directory);
  }

  /**
   * A token's certificate for the key of the request.
   * @throws EnrolmentRefusal, CertificateError
   */
  async enrol(token: TokenSecret, { csr, from }: Asking): Promise<X509Certificate> {
    // Before any work for the request: its sender isn't authenticated yet.
    const state = await this.#usable(token);
    const facts = await readOwnCsr(csr);
    const key = keyDigest(facts.publicKey);
    const given = state.bound.get(key)?.serial;
    if (given !== undefined) return this.#archived(given);
    checkUses(state, key);
    const asked = { operation: 'enroll', token: token.id, certificate: undefined, key, from } as const;
    const policy = await this.#decided(facts, tokenPolicy(state.grant, facts), asked);
    await this.#settings.authority.check(facts, policy);
    return this.#journal.exclusively(async (lock) => {
      const now = await this.#usable(token);
      checkUses(now, key);
      return this.#issue(lock, now, { facts, policy, key, from });
    });
  }

  /**
   * Renews the certificate that was presented, with the same names.
   * @throws EnrolmentRefusal, CertificateError
   */
  async renew(presented: X509Certificate, asking: Asking): Promise<X509Certificate> {
    return this.#renew(presented, await readOwnCsr(asking.csr), asking.from, 0);
  }

  /**
   * Renews a certificate that expired within the grace period. No handshake proves possession of its key, so the
   * request must be signed by that key: only its holder can use what is issued.
   * @throws EnrolmentRefusal, CertificateError
   */
  async renewExpired(expired: X509Certificate, asking: Asking): Promise<X509Certificate> {
    const facts = await readOwnCsr(asking.csr);
    if (keyDigest(facts.publicKey) !== keyDigest(expired.publicKey))
      throw new EnrolmentRefusal('no-certificate', 'an expired certificate is renewed for its own key alone');
    return this.#renew(expired, facts, asking.from, this.#settings.expiredGrace);
  }

  async #renew(
    presented: X509Certificate,
    facts: CsrInfo,
    from: string,
    grace: number,
  ): Promise<X509Certificate> {
    const { kind, serial, days } = await this.#renewable(presented, grace);
    await demandSameIdentity(presented, facts);
    const subject = await subjectOf(presented);
    const renewal = { kind, names: facts.names, subject, days, file: false } as const;
    const key = keyDigest(facts.publicKey);
    const asked = { operation: 'renew', token: undefined, certificate: presented, key, from } as const;
    const policy = await this.#decided(facts, renewal, asked);
    const reference = `renewal of ${serial} from ${from}`;
    return parseCertificate(
      (await this.#settings.authority.sign(facts, { ...policy, reference })).certificate,
    );
  }

  async #usable(token: TokenSecret): Promise<TokenState> {
    return checkToken(await this.#journal.find(token.id), token);
  }

  /** Checked in the store's index, which has a revocation at once. */
  async #renewable(presented: X509Certificate, grace: number): Promise<RenewableCertificate> {
    const { store, renewDays } = this.#settings;
    const record = await store.find({ fingerprint: presented.fingerprint256 });
    if (record === undefined || record.kind === 'authority')
      throw new EnrolmentRefusal('not-issued-here', "the presented certificate is none of this store's");
    const { kind, serial, revoked, notAfter, commonName, names } = record;
    const barred = await this.#journal.barred([...names, ...(commonName === undefined ? [] : [commonName])]);
    const refusal = renewalRefusal({ revoked, barred });
    if (refusal !== undefined)
      throw new EnrolmentRefusal(refusal.reason, `the presented certificate ${refusal.message}`);
    if (Date.now() > notAfter.getTime() + grace)
      throw new EnrolmentRefusal('expired', `the presented certificate expired on ${notAfter.toISOString()}`);
    return { kind, serial, days: renewDays ?? lifeOf(record) };
  }

  /** Caps the validity, and asks the policy. */
  async #decided(facts: CsrInfo, policy: SigningPolicy, asked: Asked): Promise<SigningPolicy> {
    const { maxDays, permit, policy: ask, crlUrls } = this.#settings;
    const { kind, days = maxDays } = policy;
    const { names, subject } = checkRequest(facts, readPolicy(policy));
    const outside = permit && outsidePatterns(permit, names);
    if (outside !== undefined)
      throw new EnrolmentRefusal('policy', `the name "${outside.value}" isn't certified here`);
    const request = {
      ...asked,
      kind,
      names: names.map(({ value }) => value),
      commonName: subject.commonName,
      days: Math.min(days, maxDays),
    };
    return { ...policy, days: await askPolicy(ask, request), maxDays, crlUrls };
  }

  async #issue(
    lock: HeldLock,
    { grant: { id }, bound }: TokenState,
    { facts, policy, key, from }: { facts: CsrInfo; policy: SigningPolicy; key: string; from: string },
  ): Promise<X509Certificate> {
    const binding = bound.get(key);
    if (binding?.serial !== undefined) return this.#archived(binding.serial);
    const reference = `token ${id} key ${key}`;
    if (binding === undefined)
      await this.#journal.append(lock, { event: 'bound', id, at: Date.now(), key, from });
    const earlier = binding && (await this.#settings.store.find({ reference }));
    const certificate =
      earlier === undefined
        ? parseCertificate((await this.#settings.authority.sign(facts, { ...policy, reference })).certificate)
        : await this.#archivedOrSigned(earlier, facts, { ...policy, reference });
    const { serial } = certificate;
    await this.#journal.append(lock, { event: 'enrolled', id, at: Date.now(), key, from, serial });
    return certificate;
  }

  /** A crash between the index and the archive has left a record of a certificate that was never handed out. */
  async #archivedOrSigned(
    { serial }: StoredCertificate,
    facts: CsrInfo,
    policy: SigningPolicy,
  ): Promise<X509Certificate> {
    try {
      return await this.#archived(serial);
    } catch (error) {
      if (!(error instanceof CertificateError) || error.code !== 'KNSOCK_CERTIFICATE_NOT_FOUND') throw error;
      return parseCertificate((await this.#settings.authority.sign(facts, policy)).certificate);
    }
  }

  async #archived(serial: string): Promise<X509Certificate> {
    const file = `${this.#settings.store.directory}/issued/serials/${serial}.crt`;
    return parseCertificate((await readBytes(file)).toString('utf8'));
  }
}

interface RenewableCertificate {
  readonly kind: SigningPolicy['kind'];
  readonly serial: string;
  readonly days: number;
}

const DAY_MS = 86_400_000;

/** Both ends are part of the validity. */
function lifeOf({ notBefore, notAfter }: StoredCertificate): number {
  return (notAfter.getTime() + 1_000 - notBefore.getTime()) / DAY_MS;
}

function tokenPolicy(
  { kind, names, allow, commonName, days }: TokenGrant,
  { names: asked }: CsrInfo,
): SigningPolicy {
  const first = parseNames(asked).find((name) => name.kind === 'dns' && !name.value.startsWith('*'));
  const given = fillTemplates(names, first?.value);
  const subject = commonName === undefined ? {} : { commonName };
  return { kind, names: [...given, ...allow], addNames: given, subject, days, file: false };
}

/** @throws EnrolmentRefusal */
function checkToken(state: TokenState | undefined, { secret }: TokenSecret): TokenState {
  const matches = secretMatches(state?.grant.hash, secret);
  if (state === undefined) throw new EnrolmentRefusal('unknown-token', 'there is no such token');
  if (!matches) throw new EnrolmentRefusal('wrong-secret', "the secret isn't the token's");
  if (state.withdrawn) throw new EnrolmentRefusal('withdrawn-token', 'the token was withdrawn');
  if (Date.now() >= state.grant.expires) throw new EnrolmentRefusal('expired-token', 'the token has expired');
  return state;
}

/** @throws EnrolmentRefusal */
function checkUses({ grant: { uses }, bound }: TokenState, key: string): void {
  if (bound.has(key) || bound.size < uses) return;
  const others = uses === 1 ? 'another key' : `${uses} other keys`;
  throw new EnrolmentRefusal('other-key', `the token is bound to ${others}`);
}

/** @throws CertificateError for a request that its own key didn't sign, or a key too weak */
async function readOwnCsr(csr: Buffer): Promise<CsrInfo> {
  const facts = await readCsr(csr);
  if (!facts.signatureValid)
    throw new CertificateError(
      'KNSOCK_CERTIFICATE_REQUEST_SIGNATURE',
      "the request isn't signed by the key it carries",
    );
  checkStrength(facts.publicKey);
  return facts;
}

/** RFC 7030 4.2.2: the subject and the names of the request are those of the certificate. @throws EnrolmentRefusal */
async function demandSameIdentity(presented: X509Certificate, facts: CsrInfo): Promise<void> {
  const { dnsNames, ipAddresses, uris, emailAddresses } = presented;
  const has = spelled([...dnsNames, ...ipAddresses, ...uris, ...emailAddresses]);
  const subject = await subjectOf(presented);
  // A common name that only repeats a name may have been left out of the certificate, because of its issuer's constraints.
  const isDefault = subject.commonName === undefined && facts.names.includes(facts.subject.commonName ?? '');
  const asked = isDefault ? { ...facts.subject, commonName: undefined } : facts.subject;
  const same =
    facts.otherNames.length === 0 &&
    has === spelled(facts.names) &&
    subjectText(subject) === subjectText(asked);
  if (!same)
    throw new EnrolmentRefusal('other-names', 'subject and names must be those of the presented certificate');
}

function spelled(names: readonly string[]): string {
  return JSON.stringify(
    parseNames(names)
      .map(({ value }) => value)
      .sort(),
  );
}

async function subjectOf({ der }: X509Certificate) {
  const library = await x509Library();
  return readSubject(library.AsnConvert.parse(der, library.Certificate).tbsCertificate.subject);
}

function keyDigest(key: KeyObject): string {
  const spki = publicHalf(key).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}
