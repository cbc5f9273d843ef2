import { describe, expect, it } from 'vitest';
import type { Command, Option } from 'commander';
import { Output } from './output.js';
import { buildProgram } from './program.js';
import { UsageError } from './usage-error.js';

const output = new Output({ quiet: true, json: false, debug: false });

function* commandsOf(command: Command): Generator<Command> {
  yield command;
  for (const below of command.commands) yield* commandsOf(below);
}

/** What the command makes of an option given twice, without running anything. */
function parsedTwice(command: Command, option: Option): unknown {
  const value = option.argChoices?.[0] ?? (option.flags.includes('<address>') ? ':1' : '1');
  try {
    command.parseOptions([option.long ?? '', value, option.long ?? '', value]);
    return command.getOptionValue(option.attributeName());
  } catch (error) {
    return error;
  }
}

describe('an option given twice', () => {
  it('is refused by every command, or both values are kept', async () => {
    const program = await buildProgram('all', output);
    let seen = 0;
    for (const command of commandsOf(program)) {
      for (const option of command.options.filter(({ required, optional }) => required || optional)) {
        const found = parsedTwice(command, option);
        // A value that the option doesn't take is refused before.
        if (found instanceof Error && !(found instanceof UsageError)) continue;
        seen++;
        if (option.description.includes('repeatable')) expect(found, option.flags).toHaveLength(2);
        else expect((found as Error).message, option.flags).toContain('is given more than once');
      }
    }
    expect(seen).toBeGreaterThan(150);
  });

  it('may be a flag without a value', async () => {
    const program = await buildProgram(['serve'], output);
    const serve = program.commands.find((command) => command.name() === 'serve') as Command;
    serve.parseOptions(['--dev', '--dev']);
    expect(serve.getOptionValue('dev')).toBe(true);
  });

  it('has a hint that says how one file holds several', async () => {
    const program = await buildProgram(['serve'], output);
    const serve = program.commands.find((command) => command.name() === 'serve') as Command;
    expect(() => serve.parseOptions(['--cert', 'a', '--cert', 'b'])).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('one PEM file') as string }),
    );
  });
});
