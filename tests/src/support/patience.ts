/** What a test waits for comes late on a busy machine: a second, as vitest has it, is too short there. */
import { vi } from 'vitest';

const TIMEOUT_MS = 15_000;
const { waitFor } = vi;

vi.waitFor = (callback, options = {}) =>
  waitFor(callback, typeof options === 'number' ? options : { timeout: TIMEOUT_MS, ...options });
