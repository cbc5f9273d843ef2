/**
 * Obtains a certificate into the folder.
 *
 * Rules
 * - One process orders at a time; the next one looks first whether there is anything left to do.
 * - The key is written before anything is ordered, the order's URL as soon as it is known: an interrupted order is finished.
 * - What comes back is checked before it replaces anything.
 */
import { noConnection, withDeadline, type FailureReporter } from '@knsock/core/options';
import type { X509Certificate } from '@knsock/core/x509';
import { signRequest } from '../issuing/csr.js';
import { generateKey, privateKeyPem, readPrivateKey } from '../keys/keys.js';
import { x509Library } from '../x509.js';
import { openAccount } from './account.js';
import { AccountKey } from './account-key.js';
import { AcmeClient } from './acme-client.js';
import { AcmeError, directoryFailure } from './acme-error.js';
import type { AcmeFolder, PendingOrder } from './acme-folder.js';
import { transportOf, type AcmeSettings } from './acme-options.js';
import { answer } from './answer.js';
import { checkIssued, hasNames } from './check-issued.js';
import { completeOrder, isOpen, placeOrder } from './order.js';
import type { PendingChallenges } from './pending-challenges.js';
import { LONGEST_REFUSAL } from './problem.js';
import { renewalId } from './renewal-info.js';

/** What certificates are obtained with. */
export interface Obtaining {
  readonly settings: AcmeSettings;
  readonly folder: AcmeFolder;
  readonly pending: PendingChallenges;
  /** Whether a server of this program may answer validations by tls-alpn-01. */
  readonly isServed: () => boolean;
  readonly reporter: FailureReporter;
}

/** How long another process may order beyond its own deadline, in ms. */
const GRACE = 10_000;

/** Whether the folder's certificate is what the options ask for, and hasn't expired. */
export async function usableLeaf({ settings, folder }: Obtaining): Promise<X509Certificate | undefined> {
  const [leaf, origin] = [await folder.leaf(), await folder.origin()];
  if (leaf === undefined || origin?.directory !== settings.directory) return undefined;
  if (!hasNames(leaf, settings.identifiers)) return undefined;
  return leaf.notAfter > new Date() ? leaf : undefined;
}

/**
 * Orders a certificate and puts it in place, unless the folder holds another usable one than `old` by then.
 * @param old the certificate to be replaced; undefined: whatever is there can't be used
 * @throws AcmeError, CertificateError; the signal's reason
 */
export async function obtain(
  work: Obtaining,
  old: X509Certificate | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { folder, settings } = work;
  const { orderTimeout } = settings;
  await folder.exclusively(
    async () => {
      await folder.settle();
      const there = await usableLeaf(work);
      if (there !== undefined && there.fingerprint256 !== old?.fingerprint256) return;
      await keepToLimit(work);
      const late = () =>
        directoryFailure(
          `the order at ${new URL(settings.directory).host} took longer than ${orderTimeout.toLocaleString('en')} ms`,
        );
      await withDeadline({
        ms: orderTimeout,
        signal,
        late,
        run: (within) => order(work, there, within),
      }).catch(async (error: unknown) => {
        await rememberLimit(work, error);
        throw error;
      });
    },
    { timeout: orderTimeout + GRACE, signal },
  );
}

/** A program that is started again and again asks no more often than one that runs. @throws AcmeError */
async function keepToLimit({ folder, settings }: Obtaining): Promise<void> {
  const limit = await folder.limit();
  if (limit === undefined || limit.names !== settings.names || limit.directory !== settings.directory) return;
  const left = limit.until - Date.now();
  // One far in the future is from a time when the clock was wrong.
  if (left <= 0 || left > LONGEST_REFUSAL) return;
  throw new AcmeError('KNSOCK_ACME_RATE_LIMITED', `not asked again yet: ${limit.message}`, {
    problem: 'rateLimited',
    retryAt: new Date(limit.until),
  });
}

/** Where it can't be kept, as on a full disk, the limit itself is still what the program must know. */
async function rememberLimit({ folder, settings, reporter }: Obtaining, error: unknown): Promise<void> {
  if (!(error instanceof AcmeError) || error.code !== 'KNSOCK_ACME_RATE_LIMITED') return;
  const { directory, profile, names } = settings;
  const { message, retryAt } = error;
  if (retryAt === undefined) return;
  const limit = { directory, profile, names, until: retryAt.getTime(), message };
  await folder.keepLimit(limit).catch((failure: unknown) => {
    reporter.report(failure, noConnection, "keeping the CA's rate limit for the next start");
  });
}

async function order(work: Obtaining, old: X509Certificate | undefined, signal: AbortSignal): Promise<void> {
  const { folder, settings } = work;
  const { directory, profile } = settings;
  const accountKey = new AccountKey(await folder.accountKey());
  const client = new AcmeClient(directory, accountKey, transportOf(settings, signal));
  await checkProfile(client, profile);
  const { url, key } = await withAccount(work, client, () => openOrder(work, client, old));
  try {
    const chain = await complete(work, client, url, key);
    signal.throwIfAborted();
    await folder.install(chain, key, { directory, profile }, signal);
  } catch (error) {
    if (isOver(error)) await folder.forgetOrder();
    throw error;
  }
}

/** Whether the order came to nothing; after other failures it is continued. */
function isOver(error: unknown): boolean {
  const mayGoOn: readonly string[] = [
    'KNSOCK_ACME_DIRECTORY',
    'KNSOCK_ACME_RATE_LIMITED',
    'KNSOCK_ACME_LISTEN',
  ];
  return error instanceof AcmeError && !mayGoOn.includes(error.code);
}

/** @returns the checked chain, PEM */
async function complete(work: Obtaining, client: AcmeClient, url: string, pem: string): Promise<string> {
  const { identifiers, challenge, place: listening, httpChallenges } = work.settings;
  const key = readPrivateKey(pem);
  const names = identifiers.map(({ type: kind, value }) => ({ kind, value }));
  const chain = await completeOrder(client, url, {
    identifiers,
    challenge,
    port: httpChallenges === undefined ? listening.port : undefined,
    answering: (challenges, validated) => answer(work, client, challenges, validated),
    // Names alone: CAs decide about the subject, and take no address there.
    csr: async () => signRequest(await x509Library(), { kind: 'server', names, subject: {}, key }),
  });
  checkIssued(chain, { key, identifiers, now: new Date() });
  return chain;
}

async function checkProfile(client: AcmeClient, profile: string | undefined): Promise<void> {
  if (profile === undefined) return;
  const { profiles } = await client.directory();
  if (profiles?.includes(profile) === true) return;
  const known = profiles === undefined ? 'no profiles' : profiles.slice(0, 20).join(', ').slice(0, 300);
  const message = `${client.host} has no profile "${profile}"; it has ${known}`;
  throw new AcmeError('KNSOCK_ACME_PROFILE', message);
}

/** Runs work with the account; one that the CA has deleted is made again, with the same key. */
async function withAccount<T>(
  { folder, settings }: Obtaining,
  client: AcmeClient,
  run: () => Promise<T>,
): Promise<T> {
  const { directory, agree, email, eab } = settings;
  const register = async (): Promise<void> => {
    await folder.keepAccount(directory, { url: await openAccount(client, { agree, email, eab }), email });
  };
  const known = await folder.account(directory);
  if (known === undefined) {
    await register();
    return run();
  }
  client.account = known.url;
  return run().catch(async (error: unknown) => {
    if (!isProblem(error, 'accountDoesNotExist')) throw error;
    await register();
    return run();
  });
}

/** The order under way, if it can still succeed; else a new one with a new key. */
async function openOrder(
  { folder, settings }: Obtaining,
  client: AcmeClient,
  old: X509Certificate | undefined,
): Promise<{ url: string; key: string }> {
  const { directory, profile, names, keyType } = settings;
  const kept = await folder.pendingOrder();
  if (kept?.url !== undefined && isFor(kept, settings) && (await canContinue(client, kept.url)))
    return { url: kept.url, key: kept.key };
  const key = privateKeyPem(await generateKey(keyType));
  const replaced = await replacedBy(client, folder, directory, old);
  const url = await folder.keepOrder({ directory, profile, names, key }, () =>
    place(client, settings, replaced),
  );
  return { url, key };
}

function isFor(order: PendingOrder, { directory, profile, names }: AcmeSettings): boolean {
  return order.directory === directory && order.profile === profile && order.names === names;
}

async function canContinue(client: AcmeClient, url: string): Promise<boolean> {
  return isOpen(client, url).catch((error: unknown) => {
    const isGone = error instanceof AcmeError && error.code === 'KNSOCK_ACME_REFUSED';
    if (isGone) return false;
    throw error;
  });
}

/** The identifier of the certificate that the next one replaces, for CAs that want to know. */
async function replacedBy(
  client: AcmeClient,
  folder: AcmeFolder,
  directory: string,
  old: X509Certificate | undefined,
): Promise<string | undefined> {
  if (old === undefined || (await client.directory()).renewalInfo === undefined) return undefined;
  return (await folder.origin())?.directory === directory ? renewalId(old) : undefined;
}

async function place(
  client: AcmeClient,
  { identifiers, profile }: AcmeSettings,
  replaces: string | undefined,
): Promise<string> {
  return placeOrder(client, identifiers, { profile, replaces }).catch((error: unknown) => {
    if (replaces === undefined || !isProblem(error, 'alreadyReplaced')) throw error;
    return placeOrder(client, identifiers, { profile });
  });
}

function isProblem(error: unknown, type: string): boolean {
  return error instanceof AcmeError && error.problem === type;
}
