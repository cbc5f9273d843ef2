import { inspect, inspectCustom, type InspectOptions } from '../node/inspect.js';

/** Options of `node:tls` that show no key where they are printed, logged or turned into JSON; a copy of them does. */
export function hidingKey<T extends { readonly key: string }>(options: T): Readonly<T> {
  const shown = { ...options, key: '[private key]' };
  return Object.freeze(
    Object.defineProperties(options, {
      toJSON: { value: () => shown },
      [inspectCustom]: { value: (_depth: number, how: InspectOptions) => inspect(shown, how) },
    }),
  );
}
