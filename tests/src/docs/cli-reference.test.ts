import { describeCommands, type CommandDescription } from '@knsock/cli';
import { describe, expect, it } from 'vitest';
import { cliReference } from './cli-reference.js';
import { readDocument } from './documents.js';
import { withReference } from './reference.js';

const page = readDocument('docs/cli.md').text;
const commands = flatten(await describeCommands());

describe('docs/cli.md', () => {
  it('has every command, option, exit code and variable as the command has them (npm run format writes them)', async () => {
    expect(page).toBe(withReference(page, await cliReference()));
  });

  it('notices a part that says something else', async () => {
    const altered = page.replace('--drain-timeout', '--drain-time');
    expect(altered).not.toBe(page);
    expect(withReference(altered, await cliReference())).toBe(page);
  });
});

it.each(commands)('knsock $path shows examples in its help', ({ more }) => {
  expect(more).toMatch(/Examples?:\n {2}\$ .*knsock /);
});

it.each(commands.flatMap(({ path, options }) => options.map((option) => ({ path, ...option }))))(
  'knsock $path $flags says what it does',
  ({ summary }) => {
    expect(summary).not.toBe('');
  },
);

function flatten(command: CommandDescription): CommandDescription[] {
  return [command, ...command.commands.flatMap(flatten)];
}
