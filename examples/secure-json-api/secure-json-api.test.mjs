// @ts-check
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect, knsock } from '@knsock/core';
import { credentialsOf, makeCertificates } from './certificates.mjs';
import { ApiClient } from './client.mjs';
import { startServer, stopServer } from './processes.mjs';

/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startServer>>[]} */
let servers;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-json-api-test-'));
  await makeCertificates(join(folder, 'certs'), ['shop', 'market', 'auditor', 'stranger']);
  servers = await Promise.all([startServer(folder), startServer(folder)]);
});

after(async () => {
  for (const { child } of servers) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

/** @param {string} name */
async function client(name) {
  const endpoints = servers.map(({ port }) => ({ host: 'localhost', port }));
  return new ApiClient({ endpoints, credentials: await credentialsOf(join(folder, 'certs'), name) });
}

/** Asks in bytes, as no typed client would. @param {string} bytes */
async function raw(bytes) {
  const credentials = await credentialsOf(join(folder, 'certs'), 'shop');
  const port = servers[0]?.port;
  const connection = await connect({ host: 'localhost', port, credentials, framing: knsock() });
  try {
    return await connection.request(bytes);
  } finally {
    await connection.close();
  }
}

/** @param {Promise<unknown>} call @param {string} remoteCode @param {RegExp} [message] */
function refuses(call, remoteCode, message = /./) {
  return assert.rejects(call, { code: 'KNSOCK_REMOTE_HANDLER', remoteCode, message });
}

test('creates and reads an order, whichever server answers', async () => {
  const shop = await client('shop');
  const order = await shop.call('orders.create', { item: 'tea', quantity: 2 });
  assert.equal(order.customer, 'shop');
  for (let time = 0; time < 4; time += 1)
    assert.deepEqual(await shop.call('orders.read', { id: order.id }), order);
  await shop.close();
});

test('names what is wrong with a request', async () => {
  const shop = await client('shop');
  await refuses(shop.call('orders.create', { item: '', quantity: 2 }), 'invalid-request', /item/);
  await refuses(shop.call('orders.create', { item: 'tea', quantity: 2.5 }), 'invalid-request', /quantity/);
  await refuses(shop.call('orders.read', { id: '../certs/ca/root.crt' }), 'invalid-request', /id/);
  await refuses(shop.call('orders.read', { id: randomUUID() }), 'not-found');
  await shop.close();
});

test("answers unknown endpoints and what isn't JSON with codes of their own, and serves on", async () => {
  await refuses(raw(JSON.stringify({ endpoint: 'orders.steal', input: {} })), 'unknown-endpoint');
  await refuses(raw(JSON.stringify({ endpoint: 'constructor', input: {} })), 'unknown-endpoint');
  await refuses(raw('{"endpoint": "orders.read", '), 'invalid-json');
  await refuses(raw(JSON.stringify({ endpoint: 1 })), 'invalid-json', /endpoint/);
  const order = JSON.stringify({ endpoint: 'orders.create', input: { item: 'tea', quantity: 1 } });
  assert.match(String(await raw(order)), /"customer":"shop"/);
});

test('lets each certificate call what it may, and strangers nothing', async () => {
  const auditor = await client('auditor');
  await refuses(auditor.call('orders.create', { item: 'tea', quantity: 1 }), 'not-allowed');
  assert.ok((await auditor.call('orders.total', {})).orders >= 0);
  const port = servers[0]?.port;
  const credentials = await credentialsOf(join(folder, 'certs'), 'stranger');
  await assert.rejects(connect({ host: 'localhost', port, credentials }), { reason: 'not-allowed' });
  await auditor.close();
});

test('keeps the orders of each client to itself, and shows all to whom it says so', async () => {
  const [shop, market, auditor] = [await client('shop'), await client('market'), await client('auditor')];
  const order = await shop.call('orders.create', { item: 'tea', quantity: 2 });
  const missing = `market has no order ${order.id}`;
  await refuses(market.call('orders.read', { id: order.id }), 'not-found', new RegExp(`^${missing}$`));
  assert.deepEqual(await shop.call('orders.read', { id: order.id }), order);
  assert.deepEqual(await auditor.call('orders.read', { id: order.id }), order);
  const own = await market.call('orders.create', { item: 'coffee', quantity: 1 });
  assert.equal(own.customer, 'market');
  assert.deepEqual(await market.call('orders.read', { id: own.id }), own);
  await Promise.all([shop.close(), market.close(), auditor.close()]);
});

test("limits each client's rate by itself", async () => {
  const [auditor, shop] = [await client('auditor'), await client('shop')];
  const calls = await Promise.allSettled(Array.from({ length: 40 }, () => auditor.call('orders.total', {})));
  const limited = calls.filter(({ status }) => status === 'rejected');
  assert.ok(limited.length > 0 && limited.length < 40, `${limited.length} of 40 calls at once were refused`);
  for (const call of limited)
    assert.equal(/** @type {PromiseRejectedResult} */ (call).reason.remoteCode, 'rate-limited');
  await shop.call('orders.create', { item: 'tea', quantity: 1 });
  await Promise.all([auditor.close(), shop.close()]);
});

test('restarts both servers under load without losing a request or doing one twice', async () => {
  const shop = await client('shop');
  const before = (await readdir(join(folder, 'orders'))).length;
  const ids = new Set();
  let busy = true;
  const load = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (busy) ids.add((await shop.call('orders.create', { item: 'tea', quantity: 1 })).id);
    }),
  );
  for (const [index, server] of servers.entries()) {
    await stopServer(server);
    assert.equal(server.child.exitCode, 0);
    const placed = ids.size;
    servers[index] = await startServer(folder, server.port);
    assert.ok(ids.size > placed, 'the other server went on meanwhile');
  }
  busy = false;
  await load;
  assert.equal((await readdir(join(folder, 'orders'))).length - before, ids.size);
  await shop.close();
});

test('reads go on when a server is killed', async () => {
  const shop = await client('shop');
  const { id } = await shop.call('orders.create', { item: 'tea', quantity: 1 });
  let busy = true;
  const load = Promise.all(
    Array.from({ length: 4 }, async () => {
      for (; busy;) await shop.call('orders.read', { id });
    }),
  );
  const [first] = servers;
  first?.child.kill('SIGKILL');
  if (first) await once(first.child, 'exit');
  for (let more = 0; more < 50; more += 1) await shop.call('orders.read', { id });
  busy = false;
  await load;
  await shop.close();
});
