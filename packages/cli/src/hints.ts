/** What to try next, in the words of the command that met the failure. */
import { certsHints, commandHints, knSockHints, proxyHints } from './hint-table.js';

/** The hint for a code, in the words of the command that met it; undefined where the library's own says it all. */
export function hintOf(code: string, command: string): string | undefined {
  return wordsOf(command)[code] ?? commandHints[code];
}

function wordsOf(command: string): Readonly<Record<string, string>> {
  if (command.includes('ssl-tcp')) return knSockHints;
  if (command.includes('proxy')) return proxyHints;
  return command.includes('certs') ? certsHints : {};
}
