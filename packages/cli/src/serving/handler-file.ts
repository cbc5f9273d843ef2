/** A function from a file: the default export of a module. A handler's answers requests, as with core's `serve`. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Payload, RequestHandler } from '@knsock/core';
import { requireReadable } from '../unreadable.js';
import { UsageError } from '../usage-error.js';

/** @throws UsageError where the file can't be loaded or exports no function */
export function loadHandler(file: string): Promise<RequestHandler<Buffer, Payload>> {
  const example = 'export default ({ payload, peer }) => `hello ${peer?.commonNames[0]}: ${payload}`;';
  return loadDefaultFunction('handler', file, example);
}

/** @throws UsageError where the file can't be loaded or exports no function */
export async function loadDefaultFunction<F>(what: string, file: string, example: string): Promise<F> {
  await requireReadable(file);
  const url = pathToFileURL(path.resolve(file)).href;
  let module: { default?: unknown };
  try {
    module = (await import(url)) as { default?: unknown };
  } catch (error) {
    const message = `the ${what} ${file} can't be loaded: ${(error as Error).message}`;
    throw new UsageError(message, 'Is the path right, and does node run the file by itself?', 'KNSOCK_READ');
  }
  if (typeof module.default === 'function') return module.default as F;
  throw new UsageError(
    `the ${what} ${file} has no function as its default export`,
    `It should say, for example: ${example}`,
  );
}
