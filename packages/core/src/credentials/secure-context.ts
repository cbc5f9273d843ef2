/** One SecureContext per version of the credentials: making one costs as much as half a handshake. */
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { fromKeyMaterial } from '../errors/from-node.js';
import type { ExtraTls } from '../policy/extra-tls.js';
import type { TlsProfile } from '../policy/tls-profile.js';
import type { Credentials } from './credentials.js';

const cache = new WeakMap<Credentials, WeakMap<TlsProfile, SecureContext>>();

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
    // An anchor that isn't a root is trusted because somebody put it into ca by hand.
    allowPartialTrustChain: partialChain,
    secureOptions: profile.secureOptions | secureOptions,
  } as SecureContextOptions;
}

/** The cached context of these credentials under this profile. */
export function secureContext(
  credentials: Credentials,
  profile: TlsProfile,
  settings: { partialChain: boolean; extra: ExtraTls },
): SecureContext {
  let contexts = cache.get(credentials);
  if (contexts === undefined) cache.set(credentials, (contexts = new WeakMap()));
  let context = contexts.get(profile);
  if (context === undefined) {
    try {
      context = createSecureContext(contextOptions(credentials, profile, settings));
    } catch (error) {
      throw fromKeyMaterial(error as Error, 'the certificate and key', undefined, false);
    }
    contexts.set(profile, context);
  }
  return context;
}
