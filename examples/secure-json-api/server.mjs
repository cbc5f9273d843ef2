// @ts-check
// The API without its business: who may call what, how often, and with what; refusals are typed.
import { json, knsock, RequestError, serve } from '@knsock/core';
import { z } from 'zod';
import { contract } from './contract.mjs';
import { RateLimit } from './rate-limit.mjs';

/** @import { Endpoint, Input, Output } from './contract.mjs' */
/** @typedef {{ may: readonly Endpoint[], perSecond: number, readsAll?: boolean }} Client `readsAll`: others' orders too */
/** @typedef {Record<string, Client>} Clients by common name */
/** @typedef {{ name: string, readsAll: boolean }} Caller who asks, as its certificate proved */
/** @typedef {{ [E in Endpoint]: (input: Input<E>, caller: Caller) => Output<E> | Promise<Output<E>> }} Handlers */

// What isn't JSON, or not of this shape, is answered `invalid-json` by the framing; no handler sees it.
const framing = json(knsock(), { schema: z.strictObject({ endpoint: z.string(), input: z.unknown() }) });

/** @param {{ port: number, credentials: import('@knsock/core').Credentials, clients: Clients, handlers: Handlers }} options */
export function startApi({ port, credentials, clients, handlers }) {
  const limits = new Map(
    Object.entries(clients).map(([name, { perSecond }]) => [name, new RateLimit(perSecond)]),
  );
  const authorize = { commonNames: Object.keys(clients) }; // every other client is refused in the handshake
  return serve(
    { port, host: 'localhost', framing, credentials, clientCertificates: 'require', authorize },
    ({ payload: { endpoint, input }, peer }) => {
      const name = peer?.commonNames[0] ?? '';
      if (!limits.get(name)?.take()) throw new RequestError('rate-limited', `too many requests of ${name}`);
      if (!isEndpoint(endpoint)) throw new RequestError('unknown-endpoint', `there is no ${endpoint}`);
      const { may = [], readsAll = false } = clients[name] ?? {};
      if (!may.includes(endpoint)) throw new RequestError('not-allowed', `${name} may not call ${endpoint}`);
      return handle(handlers, endpoint, input, { name, readsAll });
    },
  );
}

/** @template {Endpoint} E @param {Handlers} handlers @param {E} endpoint @param {unknown} input @param {Caller} caller */
function handle(handlers, endpoint, input, caller) {
  const parsed = contract[endpoint].input.safeParse(input);
  if (!parsed.success) throw new RequestError('invalid-request', z.prettifyError(parsed.error));
  return handlers[endpoint](/** @type {Input<E>} */ (parsed.data), caller);
}

/** @param {string} name @returns {name is Endpoint} */
function isEndpoint(name) {
  return Object.hasOwn(contract, name);
}
