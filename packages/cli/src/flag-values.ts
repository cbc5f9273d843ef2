/**
 * Values that no option takes, refused by the name of the flag: an empty one is usually a variable of a script that isn't set,
 * and shells leave the `~` of `--out=~/x` as it is.
 */
import type { EventEmitter } from 'node:events';
import type { Command, Option } from 'commander';
import { InvalidOptionError } from '@knsock/core/errors';
import { UsageError } from './usage-error.js';

/** An empty name there means none. */
const MAY_BE_EMPTY = ['--servername', '--target-servername'];

/** Flags that take paths. */
const PATH = /<(file|path|directory|folder)\b/;

/** A message may be. */
const EMPTY_ARGUMENTS = ['message'];

/** For a command and all below it; call it last, since it replaces the parsers. */
export function nameFlags(command: Command): void {
  for (const option of command.options.filter(({ required, optional }) => required || optional)) {
    const flag = option.long ?? option.flags;
    nameInParser(option, flag);
    // Before commander's own listener, which parses; its types leave the emitter's methods out.
    (command as unknown as EventEmitter).prependListener(`option:${option.name()}`, (value: unknown) => {
      if (value === '' && !MAY_BE_EMPTY.includes(flag))
        throw new UsageError(
          `${flag} is empty`,
          `Is a variable unset? Give ${flag} a value, or leave it out.`,
        );
      if (PATH.test(option.flags) && typeof value === 'string' && /^~(\/|$)/.test(value))
        throw new UsageError(
          `${flag}: the shell left the ~ of ${value} as it is`,
          `Write ${flag} ~/…, with a space and without quotes, or the whole path.`,
        );
    });
  }
  for (const below of command.commands) nameFlags(below);
}

/** Arguments likewise, of the command that is about to run. */
export function refuseEmptyArguments({ registeredArguments, args }: Command): void {
  for (const [at, argument] of registeredArguments.entries()) {
    const given = argument.variadic ? args.slice(at) : args.slice(at, at + 1);
    if (given.includes('') && !EMPTY_ARGUMENTS.includes(argument.name()))
      throw new UsageError(`the argument ${argument.name()} is empty`, 'Is a variable unset?');
  }
}

/** What a reader of the library refused, with the flag for the option; for the hint about all options there is the command's. */
function invalid({ message, option, hint, code }: InvalidOptionError, flag: string): UsageError {
  const usual = new InvalidOptionError(option, '').hint;
  return new UsageError(message.replace(option, flag), hint === usual ? '' : hint, code);
}

/** Parsers that several options share can't name the one that was given. */
function nameInParser(option: Option, flag: string): void {
  const parse = option.parseArg;
  if (parse === undefined) return;
  option.parseArg = <T>(value: string, previous: T): T => {
    try {
      return parse(value, previous);
    } catch (error) {
      if (error instanceof InvalidOptionError) throw invalid(error, flag);
      if (!(error instanceof UsageError) || error.message.includes(flag)) throw error;
      throw new UsageError(`${flag}: ${error.message}`, error.hint, error.code);
    }
  };
}
