// @ts-check
// What the API offers. Both sides read it: the server checks inputs by it, the client outputs, and the types follow.
import { z } from 'zod';

const order = z.object({
  id: z.uuid(),
  customer: z.string(),
  item: z.string(),
  quantity: z.int(),
});

export const contract = {
  'orders.create': {
    input: z.strictObject({ item: z.string().min(1).max(100), quantity: z.int().min(1).max(1_000) }),
    output: order,
    idempotent: false,
  },
  'orders.read': {
    input: z.strictObject({ id: z.uuid() }),
    output: order,
    idempotent: true, // may be sent again after a crash, since asking twice does no harm
  },
  'orders.total': {
    input: z.strictObject({}),
    output: z.object({ orders: z.int() }),
    idempotent: true,
  },
};

/** @typedef {typeof contract} Contract */
/** @typedef {keyof Contract} Endpoint */
/** @template {Endpoint} E @typedef {z.input<Contract[E]['input']>} Input */
/** @template {Endpoint} E @typedef {z.output<Contract[E]['output']>} Output */
