/** What tests of certificates from pebble begin with: a folder of their own, and what they started, which ends with them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, type TestContext } from 'vitest';
import { startPebble, type Pebble, type PebbleOptions } from './pebble.js';
import { needsTools } from './tools.js';

export interface AcmeArrangement {
  /** Of the test that runs. */
  folder: string;
  /** Ends it after the test, the last one first. */
  keep<T extends AsyncDisposable>(started: T): T;
  /** Skips the test where pebble is missing. */
  pebble(context: TestContext, options?: Partial<PebbleOptions>): Promise<Pebble>;
}

/** For each test of the file that calls it. */
export function arrangeAcme(): AcmeArrangement {
  const running: AsyncDisposable[] = [];
  const arrangement: AcmeArrangement = {
    folder: '',
    keep: (started) => {
      running.push(started);
      return started;
    },
    pebble: async (context, options = {}) => {
      needsTools(context, 'pebble', 'pebble-challtestsrv');
      return arrangement.keep(await startPebble({ folder: arrangement.folder, ...options }));
    },
  };
  beforeEach(async () => {
    arrangement.folder = await mkdtemp(join(tmpdir(), 'knsock-acme-'));
  });
  afterEach(async () => {
    for (const one of running.splice(0).reverse()) await one[Symbol.asyncDispose]();
    await rm(arrangement.folder, { recursive: true, force: true });
  });
  return arrangement;
}
