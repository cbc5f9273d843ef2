/** Hints in terms of the command that failed. */
import { certsHints, commandHints, knSockHints, proxyHints } from './hint-table.js';

/** The hint for a code, in terms of the failed command; undefined if the library's own is sufficient. */
export function hintOf(code: string, command: string): string | undefined {
  return wordsOf(command)[code] ?? commandHints[code];
}

function wordsOf(command: string): Readonly<Record<string, string>> {
  if (command.includes('ssl-tcp')) return knSockHints;
  if (command.includes('proxy')) return proxyHints;
  return command.includes('certs') ? certsHints : {};
}
