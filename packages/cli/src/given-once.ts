/** Options that take one value are given once: commander would keep the last and say nothing of the others. */
import type { Command, Option } from 'commander';
import { UsageError } from './usage-error.js';

/** The parsers of options that collect their values. */
const collecting = new WeakSet<object>();

/** Marks the parser of a repeatable option. */
export function repeatable<Parser extends (value: string, earlier?: string[]) => string[]>(
  parser: Parser,
): Parser {
  collecting.add(parser);
  return parser;
}

/** Refuses options with one value that are given twice, for a command and all below it. Flags without a value may be. */
export function refuseRepeated(command: Command): void {
  for (const option of command.options.filter(takesOneValue)) {
    let given = false;
    command.on(`option:${option.name()}`, () => {
      if (given) throw repeated(option);
      given = true;
    });
  }
  for (const below of command.commands) refuseRepeated(below);
}

function takesOneValue({ required, optional, variadic, parseArg }: Option): boolean {
  const collects = variadic || (parseArg !== undefined && collecting.has(parseArg));
  return (required || optional) && !collects;
}

function repeated(option: Option): UsageError {
  const name = option.long ?? option.flags;
  const hint = Object.hasOwn(joined, name)
    ? (joined[name] ?? '')
    : `Give ${name} once; knsock help COMMAND says which options are repeatable.`;
  return new UsageError(`option '${option.flags}' is given more than once, and takes one value`, hint);
}

/** Files that hold any number of what they are for. */
const joined: Readonly<Record<string, string>> = {
  '--cert': 'Put the certificate and its intermediates into one PEM file, the certificate first.',
};
