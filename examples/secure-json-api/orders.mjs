// @ts-check
// The business behind the API: orders as files in a folder that all processes share. Yours is a database.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RequestError } from '@knsock/core';

/**
 * @param {string} folder
 * @returns {Promise<import('./server.mjs').Handlers>}
 */
export async function orderHandlers(folder) {
  await mkdir(folder, { recursive: true });
  return {
    'orders.create': async ({ item, quantity }, { name }) => {
      const order = { id: randomUUID(), customer: name, item, quantity };
      await writeFile(join(folder, order.id), JSON.stringify(order), { flag: 'wx' });
      return order;
    },
    'orders.read': async ({ id }, { name, readsAll }) => {
      const order = await readFile(join(folder, id), 'utf8').then(JSON.parse, () => null);
      // Another customer's order is answered as one that isn't there: a guess reveals nothing.
      if (order !== null && (readsAll || order.customer === name)) return order;
      throw new RequestError('not-found', `${name} has no order ${id}`);
    },
    'orders.total': async () => ({ orders: (await readdir(folder)).length }),
  };
}
