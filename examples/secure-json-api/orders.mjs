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
    'orders.create': async ({ item, quantity }, customer) => {
      const order = { id: randomUUID(), customer, item, quantity };
      await writeFile(join(folder, order.id), JSON.stringify(order), { flag: 'wx' });
      return order;
    },
    'orders.read': async ({ id }) => {
      try {
        return JSON.parse(await readFile(join(folder, id), 'utf8'));
      } catch {
        throw new RequestError('not-found', `there is no order ${id}`);
      }
    },
    'orders.total': async () => ({ orders: (await readdir(folder)).length }),
  };
}
