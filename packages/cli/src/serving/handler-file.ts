/** A function from a file: the default export of a module. A handler's answers requests, as with core's `serve`. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Payload, RequestHandler } from '@knsock/core';
import { withDeadline } from '@knsock/core/options';
import { requireReadable } from '../unreadable.js';
import { UsageError } from '../usage-error.js';

/** For what a module awaits at its top level. */
const LOADING_MS = 30_000;

interface Module {
  readonly default?: unknown;
}

/** @throws UsageError where the file can't be loaded or exports no function */
export function loadHandler(file: string): Promise<RequestHandler<Buffer, Payload>> {
  const example = 'export default ({ payload, peer }) => `hello ${peer?.commonNames[0]}: ${payload}`;';
  return loadDefaultFunction('handler', file, example);
}

/** @throws UsageError where the file can't be loaded or exports no function */
export async function loadDefaultFunction<F>(what: string, file: string, example: string): Promise<F> {
  await requireReadable(file);
  const url = pathToFileURL(path.resolve(file)).href;
  let module: Module;
  try {
    module = await loaded(url);
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

/** Of a module that awaits what never comes Node says nothing: the program ends, as if all were done. */
function loaded(url: string): Promise<Module> {
  const late = (): Error => new Error('what it awaits at its top level has not come');
  return withDeadline({
    ms: LOADING_MS,
    late,
    run: (signal) =>
      new Promise((resolve, reject) => {
        const nothingLeft = (): void => {
          reject(late());
        };
        process.once('beforeExit', nothingLeft);
        signal.addEventListener('abort', nothingLeft);
        (import(url) as Promise<Module>)
          .then(resolve, reject)
          .finally(() => process.off('beforeExit', nothingLeft));
      }),
  });
}
