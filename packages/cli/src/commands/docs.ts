/** `knsock docs` */
import type { Command } from 'commander';
import { nearest } from '@knsock/core/options';
import type { Output } from '../output.js';
import { UsageError } from '../usage-error.js';

export function defineDocs(command: Command, output: Output): void {
  command
    .argument('[page]', 'its name, such as operations; without it, the list of pages')
    .addHelpText('after', HELP)
    .action(async (page?: string) => {
      const { pageNames, readPage } = await import('../documentation.js');
      const names = pageNames();
      if (page === undefined) return output.result(names, names.join('\n'));
      const name = page.replace(/\.md$/, '');
      if (!names.includes(name)) throw unknownPage(name, names);
      const text = readPage(name);
      return output.result({ page: name, text }, text);
    });
}

function unknownPage(name: string, names: readonly string[]): UsageError {
  const meant = nearest(name, names);
  const hint = meant === undefined ? 'knsock docs lists the pages.' : `Did you mean ${meant}?`;
  return new UsageError(`there is no page ${name}`, hint);
}

const HELP = `
The pages are Markdown, and files of the package @knsock/core.

Examples:
  $ knsock docs
  $ knsock docs operations | less`;
