import { onDemand } from './on-demand.js';

export type { InspectOptions } from 'node:util';

export const inspect = onDemand('node:util', 'inspect');

/** `inspect.custom`: the name of the method by which an object is shown. */
export const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;
