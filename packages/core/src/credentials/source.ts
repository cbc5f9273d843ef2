/** Credentials that may change: what `watchCredentials` gives, and what fixed ones look like. */
import { InvalidOptionError } from '../errors/index.js';
import { isCredentials, type Credentials } from './credentials.js';

/** The current credentials, and word of new ones. */
export interface CredentialSource {
  readonly current: Credentials;
  /** Calls `listener` with each new set; the function returned ends that. */
  onChange(listener: (next: Credentials) => void): () => void;
}

const NONE = (): void => undefined;

/** Credentials as a source, whichever of the two was given. */
export function toSource(
  credentials: Credentials | CredentialSource | undefined,
  fallback: Credentials,
): CredentialSource {
  if (credentials === undefined) return fixed(fallback);
  if (isCredentials(credentials)) return fixed(credentials);
  if (
    typeof (credentials as CredentialSource | null)?.onChange === 'function' &&
    isCredentials(credentials.current)
  )
    return credentials;
  throw new InvalidOptionError(
    'credentials',
    'credentials must come from createCredentials, loadCredentials or watchCredentials',
  );
}

function fixed(current: Credentials): CredentialSource {
  return { current, onChange: () => NONE };
}
