/** One SecureContext per version of the credentials: making one costs as much as half a handshake. */
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { InvalidOptionError } from '../errors/option.js';
import { fromKeyMaterial } from '../errors/from-node.js';
import type { ExtraTls } from '../policy/extra-tls.js';
import type { TlsProfile } from '../policy/tls-profile.js';
import { isTls13Only } from '../x509/own-chain.js';
import type { Credentials } from './credentials.js';

const cache = new WeakMap<Credentials, Map<string, SecureContext>>();
/** A program has a profile or two; one that makes them up as it goes must not fill the memory. */
const MOST_CONTEXTS = 16;

/**
 * What `node:tls` receives: our material, the profile, and what the program added.
 * @throws InvalidOptionError where the profile has no version for the key
 */
export function contextOptions(
  credentials: Credentials,
  profile: TlsProfile,
  { partialChain, extra }: { partialChain: boolean; extra: ExtraTls },
): SecureContextOptions {
  requireVersionOfKey(credentials, profile);
  const { secureOptions = 0, ...rest } = extra as { secureOptions?: number };
  return {
    ...rest,
    ...credentials.material,
    ...(credentials.anchors !== null && { ca: credentials.anchors.map((anchor) => anchor.pem) }),
    ...profile,
    // An anchor that isn't a root is trusted because it was put into ca explicitly.
    allowPartialTrustChain: partialChain,
    secureOptions: profile.secureOptions | secureOptions,
  };
}

/** Every handshake would fail. @throws InvalidOptionError */
function requireVersionOfKey({ certificate }: Credentials, { maxVersion }: TlsProfile): void {
  if (certificate === null || maxVersion !== 'TLSv1.2' || !isTls13Only(certificate)) return;
  throw new InvalidOptionError(
    'profile.maxVersion',
    `profile.maxVersion is TLSv1.2, which has no signatures by a key of ${certificate.publicKeyInfo.kind.type.toUpperCase()}`,
  );
}

/** The context of these credentials under this profile: made once, for every connection. */
export function secureContext(
  credentials: Credentials,
  profile: TlsProfile,
  settings: { partialChain: boolean; extra: ExtraTls },
): SecureContext {
  // What a program added may be of any kind, so it can't be compared.
  if (Object.keys(settings.extra).length > 0) return makeContext(credentials, profile, settings);
  let contexts = cache.get(credentials);
  if (contexts === undefined) cache.set(credentials, (contexts = new Map<string, SecureContext>()));
  const key = JSON.stringify([profile, settings.partialChain]);
  const made = contexts.get(key);
  if (made !== undefined) return made;
  if (contexts.size >= MOST_CONTEXTS) contexts.clear();
  const context = makeContext(credentials, profile, settings);
  contexts.set(key, context);
  return context;
}

function makeContext(
  credentials: Credentials,
  profile: TlsProfile,
  settings: { partialChain: boolean; extra: ExtraTls },
): SecureContext {
  const options = contextOptions(credentials, profile, settings);
  try {
    return createSecureContext(options);
  } catch (error) {
    throw fromKeyMaterial(error as Error, 'the certificate and key', undefined, false);
  }
}
