/** An ACME server's directory (RFC 8555 §7.1.1): where its functions are, and what it wants. */
import { directoryFailure } from './acme-error.js';
import { fieldsOf } from './json.js';
import { secureUrl } from './transport.js';

export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** RFC 9773; undefined where the server suggests no dates. */
  readonly renewalInfo: string | undefined;
  readonly termsOfService: string | undefined;
  readonly externalAccountRequired: boolean;
  /** The names of its profiles; undefined where it has none. */
  readonly profiles: readonly string[] | undefined;
}

/** @throws AcmeError `KNSOCK_ACME_DIRECTORY` where that is no directory */
export function readDirectory(value: unknown, url: string): Directory {
  const fields = fieldsOf(value);
  const meta = fieldsOf(fields['meta']);
  const place = (name: string): string => {
    const found = fields[name];
    if (typeof found !== 'string') throw directoryFailure(`${url} is no ACME directory: it has no ${name}`);
    return secureUrl(found).href;
  };
  const { profiles, termsOfService } = meta;
  return {
    newNonce: place('newNonce'),
    newAccount: place('newAccount'),
    newOrder: place('newOrder'),
    renewalInfo: fields['renewalInfo'] === undefined ? undefined : place('renewalInfo'),
    termsOfService: typeof termsOfService === 'string' ? termsOfService : undefined,
    externalAccountRequired: meta['externalAccountRequired'] === true,
    profiles: typeof profiles === 'object' && profiles !== null ? Object.keys(profiles) : undefined,
  };
}
