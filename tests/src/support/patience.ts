/** What a test waits for comes late on a busy machine: a second, as vitest has it, is too short there. */
import { lstatSync } from 'node:fs';
import { beforeEach, vi } from 'vitest';

const TIMEOUT_MS = 15_000;
const { waitFor } = vi;

vi.waitFor = (callback, options = {}) =>
  waitFor(callback, typeof options === 'number' ? options : { timeout: TIMEOUT_MS, ...options });

// Where the last synchronous stat of a process was of a pipe, as a test before may have left it, Node loads packages
// behind pnpm's symlinks a second time, and neither copy knows the other.
const forgetLastStat = (): void => void lstatSync('/');
forgetLastStat();
beforeEach(forgetLastStat);
