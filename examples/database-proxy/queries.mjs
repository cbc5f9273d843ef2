// @ts-check
// All that clients can ask, by name; a query's values are its parameters, in the order of the schema's fields.
import { z } from 'zod';

/** @type {Record<string, { text: string, parameters: z.ZodObject, writes?: boolean }>} */
export const queries = {
  'orders.of': {
    text: 'select id, item, quantity from orders where customer = $1 order by id',
    parameters: z.strictObject({ customer: z.string().max(100) }),
  },
  'orders.add': {
    text: 'insert into orders (customer, item, quantity) values ($1, $2, $3) returning id',
    parameters: z.strictObject({
      customer: z.string().max(100),
      item: z.string().max(100),
      quantity: z.int().min(1),
    }),
    writes: true,
  },
  calendar: {
    text: "select n, date '2000-01-01' + n as day from generate_series(1, $1::int) as n",
    parameters: z.strictObject({ days: z.int().min(0) }),
  },
};

/**
 * What each client may do, by the common name of its certificate; `sql` allows everything that the database's user may.
 * @type {Record<string, { queries?: readonly string[], sql?: true }>}
 */
export const clients = {
  shop: { queries: ['orders.of', 'orders.add'] },
  report: { queries: ['orders.of', 'calendar'] },
  admin: { queries: Object.keys(queries), sql: true },
};

export const schema = `create table if not exists orders
  (id serial primary key, customer text not null, item text not null, quantity int not null)`;
