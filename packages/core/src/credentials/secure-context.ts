/** One SecureContext per version of the credentials: making one costs as much as half a handshake. */
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { fromKeyMaterial } from '../errors/from-node.js';
import type { ExtraTls } from '../policy/extra-tls.js';
import type { TlsProfile } from '../policy/tls-profile.js';
import type { Credentials } from './credentials.js';

const cache = new WeakMap<Credentials, Map<string, SecureContext>>();
/** A program has a profile or two; one that makes them up as it goes must not fill the memory. */
const MOST_CONTEXTS = 16;

/** What `node:tls` is told: our material, the profile, and what the program added. */
export function contextOptions(
  credentials: Credentials,
  profile: TlsProfile,
  { partialChain, extra }: { partialChain: boolean; extra: ExtraTls },
): SecureContextOptions {
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
  try {
    return createSecureContext(contextOptions(credentials, profile, settings));
  } catch (error) {
    throw fromKeyMaterial(error as Error, 'the certificate and key', undefined, false);
  }
}
