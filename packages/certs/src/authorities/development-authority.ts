/**
 * An authority for developers' machines that is safe to trust: its root signs one intermediate, which
 * is limited to local names, and the root's key is discarded at once. With the intermediate's stolen key
 * an attacker can impersonate only local names.
 */
import { number, readAllOptions, string, texts, withDefault, type OptionReaders } from '@knsock/core/options';
import { authorityFrom, type Authority } from './authority.js';
import {
  authorityOptions,
  signAuthority,
  type AuthorityCertificate,
} from '../issuing/authority-certificate.js';
import { signCrl, type Crl } from '../revocation/crl.js';
import { DEFAULT_KEY_TYPE, keyTypeOption, generateKey, privateKeyPem, type KeyType } from '../keys/keys.js';
import { keyAtHand } from '../keys/signer.js';
import { MemoryLedger } from './ledger.js';
import { readSigningAuthority } from '../issuing/signing-authority.js';
import { AUTHORITY_DAYS, CLOCK_SKEW } from '../issuing/validity.js';
import { x509Library, type X509Library } from '../x509.js';

/** Options of `createDevelopmentAuthority`. */
export interface DevelopmentAuthorityOptions {
  /** Common name of the root, default "Development CA"; the intermediate has the same with "(issuing)". */
  readonly commonName?: string | undefined;
  /** What it may sign for; default `localNames`. */
  readonly permitted?: readonly string[] | undefined;
  /** Default 3,650. */
  readonly days?: number | undefined;
  /** Default `p256`. */
  readonly keyType?: KeyType | undefined;
}

/** An authority whose root key was discarded. */
export interface DevelopmentAuthority extends Authority {
  readonly key: string;
  /** The root's only revocation list, for peers that check the whole chain: valid as long as the root. PEM. */
  readonly rootCrl: string;
}

const localDomains = ['localhost', 'test', 'example', 'invalid', 'local', 'internal', 'home.arpa'];

/**
 * Names and networks that no public site has (RFC 2606, 6761, 6762, 8375, 9476; RFC 1918, 4193, 4291), with the
 * mailboxes and URIs of such hosts: a kind of name that isn't listed at all would be unrestricted.
 */
export const localNames: readonly string[] = [
  ...localDomains,
  ...['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1', 'fc00::/7', 'fe80::/10'],
  ...localDomains.flatMap((domain) => [`@${domain}`, `@.${domain}`]),
  ...localDomains.flatMap((domain) => [`spiffe://${domain}`, `spiffe://.${domain}`]),
];

/** How each of them is read, and its default; days are checked where they are used. */
export const developmentOptions = {
  commonName: withDefault<string>(string, 'Development CA'),
  permitted: withDefault<readonly string[]>(texts, localNames),
  days: withDefault<number>(number, AUTHORITY_DAYS),
  keyType: withDefault<KeyType>(keyTypeOption, DEFAULT_KEY_TYPE),
} as const satisfies OptionReaders<DevelopmentAuthorityOptions>;

/** The two certificates, and the intermediate's key. */
export interface DevelopmentChain {
  readonly root: AuthorityCertificate;
  readonly rootCrl: Crl;
  readonly intermediate: AuthorityCertificate;
  /** PEM. */
  readonly key: string;
}

/**
 * Creates a development authority in memory; `Store.createDevelopmentAuthority` keeps one on disk.
 * @throws CertificateError for options that can't be used.
 */
export async function createDevelopmentAuthority(
  options: DevelopmentAuthorityOptions = {},
): Promise<DevelopmentAuthority> {
  const library = await x509Library();
  const { root, rootCrl, intermediate, key, keyObject } = await makeChain(library, options);
  const chain = intermediate.certificate + root.certificate;
  const authority = authorityFrom(
    library,
    chain,
    { signing: keyAtHand(keyObject), pem: key },
    new MemoryLedger(),
  );
  return Object.assign(authority, { rootCrl: rootCrl.pem, key });
}

/** Makes root and intermediate; the root's key is unreachable once this returns. */
export async function makeDevelopmentChain(options: DevelopmentAuthorityOptions): Promise<DevelopmentChain> {
  return makeChain(await x509Library(), options);
}

async function makeChain(library: X509Library, options: DevelopmentAuthorityOptions) {
  const { commonName, permitted, days, keyType } = readAllOptions(options, developmentOptions);
  const [rootKey, keyObject] = [await generateKey(keyType), await generateKey(keyType)];
  const root = await signAuthority(
    library,
    readAllOptions({ commonName, days, pathLength: 1 }, authorityOptions),
    keyAtHand(rootKey),
  );
  const signing = readSigningAuthority(library, root.certificate, keyAtHand(rootKey));
  const limits = readAllOptions(
    { commonName: `${commonName} (issuing)`, nameConstraints: { permitted } },
    authorityOptions,
  );
  const intermediate = await signAuthority(library, limits, keyAtHand(keyObject), signing);
  const { subject: issuer, keyIdentifier: issuerKeyIdentifier, notAfter: nextUpdate } = signing;
  const thisUpdate = new Date(Math.floor((Date.now() - CLOCK_SKEW) / 1_000) * 1_000);
  const parts = { issuer, issuerKeyIdentifier, number: 1, thisUpdate, nextUpdate, revoked: [] };
  return {
    root,
    rootCrl: await signCrl(library, parts, signing.key),
    intermediate,
    keyObject,
    key: privateKeyPem(keyObject),
  };
}
