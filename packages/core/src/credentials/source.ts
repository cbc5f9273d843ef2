/** Credentials that may change: what `watchCredentials` gives, and what fixed ones look like. */
import { isPromise } from 'node:util/types';
import type { FailureContext, FailureReporter } from '../errors/failure-reporter.js';
import { InvalidOptionError } from '../errors/index.js';
import { callback } from '../options/index.js';
import { isCredentials, type Credentials } from './credentials.js';

/** The certificate that answers an ACME server's validation of a name by tls-alpn-01 (RFC 8737), and its key; PEM. */
export interface AlpnChallenge {
  /** PEM: the certificate that answers the validation. */
  readonly cert: string;
  /** PEM: its private key. */
  readonly key: string;
}

/** The current credentials, and word of new ones. */
export interface CredentialSource {
  /** The credentials in use now. */
  readonly current: Credentials;
  /** Calls `listener` with each new set; the function returned ends that. */
  onChange(listener: (next: Credentials) => void): () => void;
  /**
   * The answer to an ACME server that validates `servername` (lower case) by tls-alpn-01 now; undefined where it has
   * none pending. A server calls it only for a ClientHello whose one ALPN protocol is `acme-tls/1`.
   */
  challengeFor?(servername: string): AlpnChallenge | undefined;
}

/** What may change, and calls back when it does: credentials, a revocation source. It may be the program's own. */
interface Changing {
  onChange(listener: () => void): () => void;
}

/**
 * Follows all of them. @returns what ends that; what a source throws then is reported, and the others are ended too
 * @throws what a source throws that can't be followed; then none is
 */
export function followChanges(
  sources: readonly Changing[],
  changed: () => void,
  failures: FailureReporter,
  context: FailureContext,
): () => void {
  const ends: (() => unknown)[] = [];
  const end = (): void => {
    for (const stop of ends) failures.run(stop, context, 'ending to follow a source');
  };
  try {
    for (const source of sources) ends.push(source.onChange(changed));
  } catch (error) {
    end();
    throw error;
  }
  return end;
}

const makers = 'createCredentials, loadCredentials or watchCredentials';

const NONE = (): void => undefined;

/** Credentials as a source, whichever of the two was given. */
export function toSource(
  credentials: Credentials | CredentialSource | undefined,
  fallback: Credentials,
): CredentialSource {
  if (credentials === undefined) return fixed(fallback);
  if (isCredentials(credentials)) return fixed(credentials);
  if (isSource(credentials)) return credentials;
  const message = isPromise(credentials)
    ? 'credentials are a promise here: write await before the call that makes them'
    : `credentials must come from ${makers}${mistake(credentials)}`;
  throw new InvalidOptionError('credentials', message);
}

function isSource(given: CredentialSource): boolean {
  if (typeof (given as CredentialSource | null)?.onChange !== 'function' || !isCredentials(given.current))
    return false;
  callback('credentials.challengeFor', (given as { challengeFor?: unknown }).challengeFor);
  return true;
}

/** What was given instead, where that says what to write. */
function mistake(given: unknown): string {
  const fields = typeof given === 'object' && given !== null ? Object.keys(given) : [];
  const made = fields.some((name) => name.endsWith('File')) ? 'await loadCredentials' : 'createCredentials';
  return fields.some((name) => materials.has(name)) ? `: write ${made}({ ${fields.join(', ')} })` : '';
}

const materials = new Set(['cert', 'key', 'ca', 'pfx', 'certFile', 'keyFile', 'caFile', 'pfxFile']);

function fixed(current: Credentials): CredentialSource {
  return { current, onChange: () => NONE };
}
