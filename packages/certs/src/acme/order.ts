/**
 * An order for a certificate (RFC 8555 §7.4), from wherever it stands to the certificate:
 *
 *   pending → answer the challenges → ready → finalize → processing → valid → download
 */
import { AcmeError, directoryFailure } from './acme-error.js';
import type { AcmeClient } from './acme-client.js';
import type { AcmeChallengeType } from './challenge-listener.js';
import type { Identifier } from './identifier.js';
import { fieldsOf } from './json.js';
import { problemError, readProblem } from './problem.js';
import { boundedRetryAfter } from './retry-after.js';
import { secureUrl, type Reply } from './transport.js';

/** A validation that the CA waits for. */
export interface Challenge {
  readonly identifier: Identifier;
  readonly url: string;
  readonly token: string;
}

/** What the order needs from here. */
export interface OrderWork {
  readonly identifiers: readonly Identifier[];
  readonly challenge: AcmeChallengeType;
  /** The port that answers; undefined where the program's HTTP server does. */
  readonly port: number | undefined;
  /** Runs `validated` while every challenge is answered. */
  readonly answering: (challenges: readonly Challenge[], validated: () => Promise<void>) => Promise<void>;
  /** The request for the certificate, DER. */
  readonly csr: () => Promise<Buffer>;
}

/** Between two looks at a status. */
const POLL = { least: 250, most: 30_000, otherwise: 1_000 };
/** More than a certificate's names: a hostile server's list would have no end. */
const MOST_AUTHORIZATIONS = 100;

/** What is ordered beside the names. */
export interface OrderExtras {
  readonly profile?: string | undefined;
  /** The certificate to be replaced (RFC 9773 §5). */
  readonly replaces?: string | undefined;
}

/** Orders. @returns the order's URL */
export async function placeOrder(
  client: AcmeClient,
  identifiers: readonly Identifier[],
  { profile, replaces }: OrderExtras,
): Promise<string> {
  const { newOrder } = await client.directory();
  const payload = {
    identifiers,
    ...(profile === undefined ? {} : { profile }),
    ...(replaces === undefined ? {} : { replaces }),
  };
  const { headers } = await client.post({ url: newOrder, payload, what: 'the order' });
  if (headers['location'] === undefined)
    throw directoryFailure(`${client.host} took the order without a URL`);
  return secureUrl(headers['location']).href;
}

/** Brings an order to its end. @returns the chain, PEM */
export async function completeOrder(client: AcmeClient, url: string, work: OrderWork): Promise<string> {
  let order = await look(client, url, 'the order');
  if (order.status === 'pending') {
    await validate(client, order, work);
    order = await settled(client, url, 'the order', ['pending']);
  }
  if (order.status === 'ready') {
    const payload = { csr: (await work.csr()).toString('base64url') };
    await client.post({ url: urlIn(order, 'finalize'), payload, what: 'the certificate' });
    order = await settled(client, url, 'the order', ['ready', 'processing']);
  } else if (order.status === 'processing') {
    order = await settled(client, url, 'the order', ['processing']);
  }
  if (order.status !== 'valid') throw failedOrder(client, order, work);
  const { text } = await client.post({ url: urlIn(order, 'certificate'), what: 'the certificate' });
  return text;
}

/** Whether an order of before can still come to a certificate. */
export async function isOpen(client: AcmeClient, url: string): Promise<boolean> {
  const { status } = await look(client, url, 'the order');
  return ['pending', 'ready', 'processing', 'valid'].includes(status);
}

async function validate(client: AcmeClient, order: Resource, work: OrderWork): Promise<void> {
  const authorizations = urlsIn(order, 'authorizations');
  const challenges: Challenge[] = [];
  for (const url of authorizations) {
    const found = challengeIn(client, await look(client, url, 'an authorization'), work);
    if (found !== undefined) challenges.push(found);
  }
  await work.answering(challenges, async () => {
    for (const { url } of challenges) await client.post({ url, payload: {}, what: 'the validation' });
    for (const url of authorizations) await validated(client, url, work);
  });
}

async function validated(client: AcmeClient, url: string, work: OrderWork): Promise<void> {
  const authorization = await settled(client, url, 'an authorization', ['pending', 'processing']);
  if (authorization.status !== 'valid') throw failedValidation(client, authorization, work);
}

/** undefined where the name was validated before. */
function challengeIn(client: AcmeClient, authorization: Resource, work: OrderWork): Challenge | undefined {
  if (authorization.status === 'valid') return undefined;
  const { type, value } = fieldsOf(authorization.fields['identifier']);
  const identifier = work.identifiers.find((one) => one.type === type && one.value === value);
  if (identifier === undefined)
    throw directoryFailure(`${client.host} wants to validate a name that wasn't asked for`);
  if (authorization.status !== 'pending') throw failedValidation(client, authorization, work);
  const offered = listIn(authorization, 'challenges').map(fieldsOf);
  const found = offered.find((one) => one['type'] === work.challenge);
  const { url, token } = found ?? {};
  if (typeof url === 'string' && typeof token === 'string' && /^[\w-]{16,512}$/.test(token))
    return { identifier, url: secureUrl(url).href, token };
  if (found !== undefined) throw directoryFailure(`${client.host} offers a challenge that can't be answered`);
  const types = offered.map((one) => String(one['type']).slice(0, 40)).join(', ');
  const message = `${client.host} doesn't offer ${work.challenge} for ${identifier.value}, but ${types}`;
  throw new AcmeError('KNSOCK_ACME_VALIDATION', message, { hint: 'Choose another challenge.' });
}

interface Resource {
  readonly status: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly reply: Reply;
}

async function look(client: AcmeClient, url: string, what: string): Promise<Resource> {
  const reply = await client.post({ url, what });
  const fields = client.json(reply);
  return { status: String(fields['status']), fields, reply };
}

/** Looks until the status is none of those; the whole order has a deadline. */
async function settled(
  client: AcmeClient,
  url: string,
  what: string,
  waiting: readonly string[],
): Promise<Resource> {
  for (let otherwise = POLL.least; ; otherwise = Math.min(otherwise * 2, 5_000)) {
    const found = await look(client, url, what);
    if (!waiting.includes(found.status)) return found;
    const { headers, now } = found.reply;
    await client.pause(boundedRetryAfter(headers['retry-after'], now, { ...POLL, otherwise }));
  }
}

/** The CA's reason stands at the challenge that failed (RFC 8555 §8.2). */
function failedValidation(
  client: AcmeClient,
  { status, fields, reply }: Resource,
  { challenge, port }: OrderWork,
): AcmeError {
  const name = String(fieldsOf(fields['identifier'])['value']).slice(0, 255);
  const challenges = Array.isArray(fields['challenges']) ? fields['challenges'].slice(0, 20) : [];
  const error = challenges.map((one) => fieldsOf(one)['error']).find((one) => one !== undefined);
  if (error === undefined) {
    const message = `${client.host} didn't validate ${name}: the authorization is ${status.slice(0, 40)}`;
    return new AcmeError('KNSOCK_ACME_VALIDATION', message);
  }
  return problemError(readProblem(error), {
    what: `the validation of ${name}`,
    host: client.host,
    now: reply.now,
    validation: { names: name, challenge, port },
    otherwise: 'KNSOCK_ACME_VALIDATION',
  });
}

function failedOrder(
  client: AcmeClient,
  { status, fields, reply }: Resource,
  { identifiers, challenge, port }: OrderWork,
): AcmeError {
  if (fields['error'] === undefined)
    return directoryFailure(`${client.host} ended the order with the status ${status.slice(0, 40)}`);
  return problemError(readProblem(fields['error']), {
    what: 'the order',
    host: client.host,
    now: reply.now,
    validation: { names: identifiers.map(({ value }) => value).join(', '), challenge, port },
  });
}

function urlIn({ fields }: Resource, name: string): string {
  return secureUrl(String(fields[name])).href;
}

function urlsIn(resource: Resource, name: string): string[] {
  return listIn(resource, name).map((url) => secureUrl(String(url)).href);
}

function listIn({ fields }: Resource, name: string): readonly unknown[] {
  const list = fields[name];
  if (Array.isArray(list) && list.length <= MOST_AUTHORIZATIONS) return list as unknown[];
  throw directoryFailure(`the ${name} of an order are no list of ${MOST_AUTHORIZATIONS} or fewer`);
}
