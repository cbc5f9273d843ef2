/** The account at an ACME server (RFC 8555 §7.3): made with the program's agreement, and found again by its key. */
import { AcmeError, directoryFailure } from './acme-error.js';
import { externalBinding } from './account-key.js';
import type { AcmeClient } from './acme-client.js';
import { secureUrl } from './transport.js';

/** What an account is made with. */
export interface AccountTerms {
  readonly agree: boolean;
  readonly email: string | undefined;
  readonly eab: { readonly kid: string; readonly hmacKey: string } | undefined;
}

/**
 * Makes the account of the client's key, or finds it: the same request does both.
 * @returns its URL
 * @throws AcmeError `KNSOCK_ACME_TERMS` without agreement, `_ACCOUNT` where the server wants more than it is given
 */
export async function openAccount(client: AcmeClient, terms: AccountTerms): Promise<string> {
  const { newAccount, termsOfService, externalAccountRequired } = await client.directory();
  checkTerms(client.host, terms, termsOfService);
  const { eab, email } = terms;
  if (externalAccountRequired && eab === undefined) {
    const message = `${client.host} makes accounts only for those that it knows from elsewhere`;
    const hint = 'Get a key id and an HMAC key from this CA and pass them as eab.';
    throw new AcmeError('KNSOCK_ACME_ACCOUNT', message, { problem: 'externalAccountRequired', hint });
  }
  const payload = {
    termsOfServiceAgreed: true,
    ...(email === undefined ? {} : { contact: contactOf(email) }),
    ...(eab === undefined ? {} : { externalAccountBinding: externalBinding(eab, newAccount, client.key) }),
  };
  // A key in the header, since the account isn't known yet.
  client.account = undefined;
  const { headers } = await client.post({ url: newAccount, payload, what: 'an account' });
  const { location } = headers;
  if (location === undefined) throw directoryFailure(`${client.host} made an account without a URL`);
  client.account = secureUrl(location).href;
  return client.account;
}

/** RFC 8555 §7.3: the contacts of an account. */
export function contactOf(email: string | undefined): string[] {
  return email === undefined ? [] : [`mailto:${email}`];
}

function checkTerms(host: string, { agree }: AccountTerms, url: string | undefined): void {
  if (agree) return;
  const where = url === undefined ? '' : `: ${url.slice(0, 300)}`;
  throw new AcmeError('KNSOCK_ACME_TERMS', `${host} has terms of service to agree to${where}`);
}
