/**
 * The TLS profile: what the two sides may negotiate. Narrow by default (forward secrecy, authenticated encryption,
 * SHA-256 or better); wider only by naming it.
 */
import { constants } from '../node/crypto.js';
import { createSecureContext, type SecureContextOptions, type SecureVersion } from '../node/tls.js';
import { InvalidOptionError, type HandshakeOffer } from '../errors/index.js';
import { readAllOptions, text, withDefault, word, type OptionReaders } from '../options/index.js';

/** What a program may say about the profile; every field replaces its default. */
export interface TlsProfileOptions {
  /** The lowest TLS version; default `'TLSv1.2'`. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** The highest TLS version; default `'TLSv1.3'`. */
  maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** OpenSSL cipher list, 1.2 and 1.3 names together; default: the AEAD suites with forward secrecy. */
  ciphers?: string | undefined;
  /** Key-exchange groups, most wanted first; default X25519MLKEM768 where the runtime has it, X25519, P-256, P-384, P-521. */
  groups?: string | undefined;
  /** Signature algorithms in OpenSSL's names; default: ECDSA, EdDSA, RSA-PSS (of either kind of key) and RSA with SHA-256 or better, and ML-DSA where the runtime has it. */
  signatureAlgorithms?: string | undefined;
}

/** A profile with nothing left open, in the names that `node:tls` takes. */
export interface TlsProfile {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  readonly ciphers: string;
  readonly ecdhCurve: string;
  readonly sigalgs: string;
  readonly secureOptions: number;
}

const CIPHERS =
  'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL';
const SIGNATURE_ALGORITHMS =
  'ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512';
/** For certificates with such keys, which TLS 1.3 alone has. */
const LATTICE_ALGORITHMS = 'mldsa44:mldsa65:mldsa87';
// The P curves stay, P-521 last: a TLS 1.2 peer whose certificate is on such a curve needs it among the groups.
const CLASSICAL_GROUPS = 'X25519:P-256:P-384:P-521';
const HYBRID_GROUP = 'X25519MLKEM768';

const version = word('TLSv1.2', 'TLSv1.3');

/** How each field of a profile is read, and its default; those of lists are below, and depend on the runtime. */
export const profileOptions = {
  minVersion: withDefault(version, 'TLSv1.2'),
  maxVersion: withDefault(version, 'TLSv1.3'),
  ciphers: text,
  groups: text,
  signatureAlgorithms: text,
} as const satisfies OptionReaders<TlsProfileOptions>;

/** Fills in the profile and tries what the program named, so that a wrong name fails here and not in a handshake. */
export function parseProfile(options: TlsProfileOptions = {}): TlsProfile {
  const { minVersion, maxVersion, ciphers, groups, signatureAlgorithms } = readAllOptions(
    options,
    profileOptions,
    'profile',
  );
  const profile: TlsProfile = Object.freeze({
    minVersion,
    maxVersion,
    ciphers: ciphers ?? CIPHERS,
    ecdhCurve: groups ?? defaultGroups(),
    sigalgs: signatureAlgorithms ?? defaultSignatureAlgorithms(),
    secureOptions:
      constants().SSL_OP_NO_RENEGOTIATION |
      constants().SSL_OP_NO_COMPRESSION |
      constants().SSL_OP_CIPHER_SERVER_PREFERENCE,
  });
  if (profile.minVersion > profile.maxVersion) {
    throw new InvalidOptionError('profile.minVersion', 'profile.minVersion is above profile.maxVersion');
  }
  tryOut('profile.ciphers', { ciphers });
  tryOut('profile.groups', { ecdhCurve: groups });
  tryOut('profile.signatureAlgorithms', { sigalgs: signatureAlgorithms });
  return profile;
}

/** What a profile brings to a handshake, for errors. */
export function offerOf({ minVersion, maxVersion, ciphers, ecdhCurve, sigalgs }: TlsProfile): HandshakeOffer {
  return {
    versions: minVersion === maxVersion ? minVersion : `${minVersion} to ${maxVersion}`,
    ciphers,
    groups: ecdhCurve,
    signatureAlgorithms: sigalgs,
  };
}

/** Whether this runtime can negotiate the post-quantum hybrid group (Node 22 and later). */
function hasHybridGroup(): boolean {
  hybrid ??= accepts({ ecdhCurve: HYBRID_GROUP });
  return hybrid;
}
let hybrid: boolean | undefined;

function defaultGroups(): string {
  return hasHybridGroup() ? `${HYBRID_GROUP}:${CLASSICAL_GROUPS}` : CLASSICAL_GROUPS;
}

/** Whether this runtime verifies ML-DSA in a handshake (Node 22 and later). */
function hasLattices(): boolean {
  lattices ??= accepts({ sigalgs: LATTICE_ALGORITHMS });
  return lattices;
}
let lattices: boolean | undefined;

function defaultSignatureAlgorithms(): string {
  return hasLattices() ? `${SIGNATURE_ALGORITHMS}:${LATTICE_ALGORITHMS}` : SIGNATURE_ALGORITHMS;
}

/** Lists that OpenSSL took once needn't be tried again. */
const accepted = new Set<string>();

function tryOut(option: string, settings: SecureContextOptions): void {
  const [value] = Object.values(settings) as [string | undefined];
  if (value === undefined) return;
  const key = `${option}=${value}`;
  if (accepted.has(key)) return;
  if (!accepts(settings)) throw new InvalidOptionError(option, `${option}: OpenSSL can't use '${value}'`);
  if (accepted.size < 64) accepted.add(key);
}

function accepts(settings: SecureContextOptions): boolean {
  try {
    createSecureContext(settings);
    return true;
  } catch {
    // OpenSSL remembers the failure, and Node 20 takes it for that of the next key it reads; this makes it forget.
    createSecureContext();
    return false;
  }
}
