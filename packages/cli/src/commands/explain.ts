/** `knsock explain` */
import type { Command } from 'commander';
import { nearest } from '@knsock/core/options';
import type { Output } from '../output.js';
import { UsageError } from '../usage-error.js';

export function defineExplain(command: Command, output: Output): void {
  command
    .argument('<code...>', 'error codes, such as KNSOCK_PEER_EXPIRED; KNSOCK_ may be left out')
    .addHelpText('after', HELP)
    .action(async (codes: string[]) => {
      const { errorSections, plainText, readPage } = await import('../documentation.js');
      const sections = errorSections(readPage('errors'));
      const shown = codes
        .map((typed) => codeOf(typed, [...sections.keys()]))
        .map((code) => ({ code, text: plainText(sections.get(code) ?? '') }));
      await output.result(
        shown.length === 1 ? shown[0] : shown,
        shown.map(({ code, text }) => `${code}\n\n${text}`).join('\n\n'),
      );
    });
}

/** The intended code. */
function codeOf(typed: string, known: readonly string[]): string {
  const word = typed.trim().toUpperCase().replaceAll('-', '_');
  const code = word.startsWith('KNSOCK_') ? word : `KNSOCK_${word}`;
  if (known.includes(code)) return code;
  const meant = nearest(code, known);
  const hint = meant === undefined ? 'knsock docs errors lists every code.' : `Did you mean ${meant}?`;
  throw new UsageError(`there is no error code ${typed}`, hint);
}

const HELP = `
Every error that knsock and its libraries raise has a code.

Examples:
  $ knsock explain KNSOCK_PEER_UNKNOWN_ISSUER
  $ knsock explain port-in-use`;
