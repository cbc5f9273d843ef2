/**
 * Enrols by token and renews by certificate (RFC 7030). What is granted comes from the token, or from the certificate
 * that is renewed; a request adds nothing to it.
 *
 * Rules
 * - A request's own signature is checked before it is compared with anything.
 * - A token is bound to the request's key, durably, before a certificate is signed. The same key gets the same
 *   certificate again; any other key is refused.
 * - Where a crash came between signing and its note in the tokens' journal, the index of the store has the certificate:
 *   it is found by its key, and no second one is signed.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { parseCertificate, publicHalf, type X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { readBytes } from '../files/atomic-file.js';
import type { Authority } from '../issuing/authority.js';
import { readCsr, type CsrFacts } from '../issuing/csr.js';
import { checkStrength } from '../keys/keys.js';
import { checkRequest, type SigningPolicy } from '../issuing/signing-policy.js';
import { parseNames } from '../issuing/names.js';
import { readSubject, subjectText } from '../issuing/subject.js';
import type { Store, StoredCertificate } from '../store/store.js';
import { x509Library } from '../x509.js';
import { EnrolmentRefusal } from './refusal.js';
import { secretMatches, type TokenSecret } from './token.js';
import { TokenJournal, type TokenGrant, type TokenState } from './token-journal.js';

export interface EnrolmentSettings {
  readonly store: Store;
  readonly authority: Authority;
  /** Of renewed certificates. */
  readonly renewDays: number;
  readonly crlUrls: readonly string[];
}

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
  async enrol(token: TokenSecret, csr: Buffer, from: string): Promise<X509Certificate> {
    // Before any work for the request: its maker is nobody yet.
    checkToken(await this.#journal.find(token.id), token);
    const facts = await readOwnCsr(csr);
    const key = keyDigest(facts.publicKey);
    return this.#journal.exclusively(async () => {
      const state = checkToken(await this.#journal.find(token.id), token);
      if (state.bound !== undefined && state.bound.key !== key)
        throw new EnrolmentRefusal('other-key', 'the token is bound to another key');
      const policy = this.#policyOf(state.grant);
      checkRequest(facts, policy);
      return this.#issue(state, csr, policy, { key, from });
    });
  }

  /**
   * A successor of the certificate that was presented, with the same names.
   * @throws EnrolmentRefusal, CertificateError
   */
  async renew(presented: X509Certificate, csr: Buffer): Promise<X509Certificate> {
    const { store, authority, renewDays, crlUrls } = this.#settings;
    const facts = await readOwnCsr(csr);
    const record = (await store.certificates()).find(
      ({ fingerprint }) => fingerprint === presented.fingerprint256,
    );
    if (record === undefined || record.kind === 'authority')
      throw new EnrolmentRefusal('not-issued-here', 'the presented certificate is none of this store’s');
    if (record.revoked !== undefined)
      throw new EnrolmentRefusal('revoked', 'the presented certificate is revoked');
    await demandSameIdentity(presented, facts);
    const { certificate } = await authority.sign(csr, {
      kind: record.kind,
      names: facts.names,
      subject: await subjectOf(presented),
      days: renewDays,
      crlUrls,
      file: false,
    });
    return parseCertificate(certificate);
  }

  #policyOf({ kind, names, commonName, days }: TokenGrant): SigningPolicy {
    const { crlUrls } = this.#settings;
    const subject = commonName === undefined ? {} : { commonName };
    return { kind, names, addNames: names, subject, days, crlUrls, file: false };
  }

  async #issue(
    { grant, bound, serial }: TokenState,
    csr: Buffer,
    policy: SigningPolicy,
    { key, from }: { key: string; from: string },
  ): Promise<X509Certificate> {
    if (serial !== undefined) return this.#archived(serial);
    const { id } = grant;
    if (bound === undefined) await this.#journal.append({ event: 'bound', id, at: Date.now(), key, from });
    const earlier = bound === undefined ? undefined : await this.#issuedFor(key, bound.at);
    const certificate =
      earlier ?? parseCertificate((await this.#settings.authority.sign(csr, policy)).certificate);
    await this.#journal.append({ event: 'enrolled', id, at: Date.now(), serial: certificate.serial });
    return certificate;
  }

  /** What was signed for a key since its token was bound, where a crash hid it. */
  async #issuedFor(key: string, since: number): Promise<X509Certificate | undefined> {
    // A certificate begins a while before it is signed, for clocks that are behind.
    const DAY = 86_400_000;
    const recent = ({ notBefore, kind }: StoredCertificate) =>
      kind !== 'authority' && notBefore.getTime() >= since - DAY;
    for (const { serial } of (await this.#settings.store.certificates()).filter(recent)) {
      const certificate = await this.#archived(serial).catch(() => undefined);
      if (certificate !== undefined && keyDigest(certificate.publicKey) === key) return certificate;
    }
    return undefined;
  }

  async #archived(serial: string): Promise<X509Certificate> {
    const file = `${this.#settings.store.directory}/issued/serials/${serial}.crt`;
    return parseCertificate((await readBytes(file)).toString('utf8'));
  }
}

/** @throws EnrolmentRefusal */
function checkToken(state: TokenState | undefined, { secret }: TokenSecret): TokenState {
  const matches = secretMatches(state?.grant.hash, secret);
  if (state === undefined) throw new EnrolmentRefusal('unknown-token', 'there is no such token');
  if (!matches) throw new EnrolmentRefusal('wrong-secret', 'the secret isn’t the token’s');
  if (state.withdrawn) throw new EnrolmentRefusal('withdrawn-token', 'the token was withdrawn');
  if (Date.now() >= state.grant.expires) throw new EnrolmentRefusal('expired-token', 'the token has expired');
  return state;
}

/** @throws CertificateError for a request that its own key didn’t sign, or a key too weak */
async function readOwnCsr(csr: Buffer): Promise<CsrFacts> {
  const facts = await readCsr(csr);
  if (!facts.signatureValid)
    throw new CertificateError(
      'KNSOCK_CERTIFICATE_REQUEST_SIGNATURE',
      'the request isn’t signed by the key it carries',
    );
  checkStrength(facts.publicKey);
  return facts;
}

/** RFC 7030 4.2.2: the subject and the names of the request are those of the certificate. @throws EnrolmentRefusal */
async function demandSameIdentity(presented: X509Certificate, facts: CsrFacts): Promise<void> {
  const { dnsNames, ipAddresses, uris, emailAddresses } = presented;
  const has = spelled([...dnsNames, ...ipAddresses, ...uris, ...emailAddresses]);
  const same =
    facts.otherNames.length === 0 &&
    has === spelled(facts.names) &&
    subjectText(await subjectOf(presented)) === subjectText(facts.subject);
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
