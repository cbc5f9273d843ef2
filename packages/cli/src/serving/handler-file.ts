/** A handler from a file: its default export answers requests, as that of core's `serve` does. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Payload, RequestHandler } from '@knsock/core';
import { UsageError } from '../usage-error.js';

/** @throws UsageError where the file can't be loaded or exports no function */
export async function loadHandler(file: string): Promise<RequestHandler<Buffer, Payload>> {
  const url = pathToFileURL(path.resolve(file)).href;
  let module: { default?: unknown };
  try {
    module = (await import(url)) as { default?: unknown };
  } catch (error) {
    const message = `the handler ${file} can’t be loaded: ${(error as Error).message}`;
    throw new UsageError(message, 'Is the path right, and does node run the file by itself?', 'KNSOCK_READ');
  }
  if (typeof module.default === 'function') return module.default as RequestHandler<Buffer, Payload>;
  const example = 'export default ({ payload, peer }) => `hello ${peer?.commonNames[0]}: ${payload}`;';
  throw new UsageError(
    `the handler ${file} has no function as its default export`,
    `It should say, for example: ${example}`,
  );
}
