/** The address at which the CA may write to the account (RFC 8555 §7.3.2): what the program says now counts. */
import { withDeadline } from '@knsock/core/options';
import { AccountKey } from './account-key.js';
import { contactOf } from './account.js';
import { AcmeClient } from './acme-client.js';
import { AcmeError, directoryFailure } from './acme-error.js';
import type { AcmeFolder } from './acme-folder.js';
import { transportOf, type AcmeSettings } from './acme-options.js';

/**
 * Sends another address than the account has, or its absence, to the CA. An account that the CA has lost gets its address
 * when it is made again.
 * @throws AcmeError where the CA can't be reached or refuses; CertificateError; the signal's reason
 */
export async function updateContact(
  folder: AcmeFolder,
  settings: AcmeSettings,
  signal: AbortSignal,
): Promise<void> {
  const { directory, email, orderTimeout: timeout } = settings;
  const isCurrent = async (): Promise<boolean> => {
    const account = await folder.account(directory);
    return account === undefined || account.email === email;
  };
  if (await isCurrent()) return;
  await folder.exclusively(
    async () => {
      if (await isCurrent()) return;
      const late = () => directoryFailure(`the change of the address took longer than ${timeout} ms`);
      await withDeadline({ ms: timeout, signal, late, run: (within) => send(folder, settings, within) });
    },
    { timeout, signal },
  );
}

async function send(folder: AcmeFolder, settings: AcmeSettings, signal: AbortSignal): Promise<void> {
  const { directory, email } = settings;
  const { url } = (await folder.account(directory)) ?? {};
  if (url === undefined) return;
  const client = new AcmeClient(
    directory,
    new AccountKey(await folder.accountKey()),
    transportOf(settings, signal),
  );
  client.account = url;
  try {
    await client.post({
      url,
      payload: { contact: contactOf(email) },
      what: "another address of the account's",
    });
  } catch (error) {
    if (error instanceof AcmeError && error.problem === 'accountDoesNotExist') return;
    throw error;
  }
  await folder.keepAccount(directory, { url, email });
}
