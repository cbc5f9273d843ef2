/** The commands as plain data: the source of completions, the reference in docs/cli.md and its test. */
import type { EventEmitter } from 'node:events';
import type { Argument, Command, Option } from 'commander';

/** A command, with its arguments, options and the commands below it. */
export interface CommandDescription {
  /** Its full name, such as `certs issue`; empty for `knsock` itself. */
  readonly path: string;
  /** What it does, in one sentence. */
  readonly summary: string;
  /** In positional order. */
  readonly arguments: readonly ArgumentDescription[];
  /** Its own; the global ones are with `knsock` itself. */
  readonly options: readonly OptionDescription[];
  /** The text after the options in `--help`, examples last. */
  readonly more: string;
  /** Its subcommands. */
  readonly commands: readonly CommandDescription[];
}

/** An argument of a command. */
export interface ArgumentDescription {
  /** As usage shows it, such as `<address>` or `[message...]`. */
  readonly shown: string;
  /** Short description. */
  readonly summary: string;
  /** What it takes. */
  readonly value: Value;
}

/** An option of a command. */
export interface OptionDescription {
  /** As help shows it, such as `-f, --file <file>`. */
  readonly flags: string;
  /** Its spellings, such as `-f` and `--file`. */
  readonly names: readonly string[];
  /** Short description. */
  readonly summary: string;
  /** What it takes. */
  readonly value: Value;
  /** Its default, in words. */
  readonly fallback: string | undefined;
  /** The environment variable that sets its default. */
  readonly environment: string | undefined;
}

/** Its value: none, one of several words, a path, or anything else. */
export type Value = 'none' | 'path' | 'text' | readonly string[];

const globalOptions = ['quiet', 'json', 'debug'] as const;

/** @param command with its subcommands defined */
export function describeCommand(command: Command, above = ''): CommandDescription {
  const isRoot = command.parent === null;
  const path = isRoot ? '' : `${above} ${command.name()}`.trim();
  return {
    path,
    summary: command.description(),
    arguments: command.registeredArguments.map(describeArgument),
    options: command.options.filter((option) => isRoot || !isGlobal(option)).map(describeOption),
    more: helpAfter(command),
    commands: command.commands.map((below) => describeCommand(below, path)),
  };
}

/** The command and all its descendants, as a list. */
export function flatten(command: CommandDescription): CommandDescription[] {
  return [command, ...command.commands.flatMap(flatten)];
}

function describeArgument(argument: Argument): ArgumentDescription {
  const shown = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return {
    shown: argument.required ? `<${shown}>` : `[${shown}]`,
    summary: argument.description,
    value: argument.argChoices ?? valueNamed(argument.name()),
  };
}

function describeOption(option: Option): OptionDescription {
  const placeholder = /[<[]([\w-]+)/.exec(option.flags)?.[1];
  const shows = option.defaultValue !== undefined && typeof option.defaultValue !== 'boolean';
  return {
    flags: option.flags,
    names: [option.short, option.long].filter((name) => name !== undefined),
    summary: option.description,
    value: placeholder === undefined ? 'none' : (option.argChoices ?? valueNamed(placeholder)),
    fallback: shows ? String(option.defaultValue) : undefined,
    environment: option.envVar,
  };
}

const paths = /^(file|path|directory|folder|cert|key|certificate|certfile|keyfile|chain|csr|source|target)$/;

function valueNamed(placeholder: string): Value {
  return paths.test(placeholder) ? 'path' : 'text';
}

function isGlobal(option: Option): boolean {
  return (globalOptions as readonly string[]).includes(option.attributeName());
}

/** Commander stores it as listeners that write. */
function helpAfter(command: Command): string {
  let text = '';
  const write = (piece: string): void => void (text += piece);
  (command as unknown as EventEmitter).emit('afterHelp', { error: false, command, write });
  return text.trim();
}
