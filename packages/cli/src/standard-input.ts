/** Standard input, which may be what can't be read. */
import { fstatSync } from 'node:fs';
import { UsageError } from './usage-error.js';

/**
 * The stream of standard input. Node ends that of a folder at once, as if it were empty.
 * @throws UsageError `KNSOCK_READ` for a folder
 */
export function standardInput(): NodeJS.ReadStream {
  if (isFolder(0))
    throw new UsageError(
      "standard input can't be read: it is a folder",
      'Give the path of a file after <, or pipe the data in.',
      'KNSOCK_READ',
    );
  return process.stdin;
}

function isFolder(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isDirectory();
  } catch {
    return false; // closed
  }
}
