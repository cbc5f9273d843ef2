/** Runs the command: from arguments to exit code. */
import { CommanderError, type Command } from 'commander';
import { nearest } from '@knsock/core/options';
import { exitCodeOf } from './exit-codes.js';
import { reportFailure } from './failure.js';
import { Output, type Manner } from './output.js';
import { buildProgram } from './program.js';
import { UsageError } from './usage-error.js';

const WRONG_USE = 2;

/**
 * Runs the command; resolves with its exit code and never rejects.
 * @param argv the arguments after the command's name, such as `['send', 'localhost:8443', 'hello']`
 */
export async function run(argv: readonly string[]): Promise<number> {
  const output = new Output(mannerOf(argv));
  let program: Command | undefined;
  try {
    const words = asHelp(argv);
    program = await buildProgram(words, output);
    refuseUnknown(program, words);
    await program.parseAsync(words, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError && error.code === 'commander.help') return WRONG_USE; // help was shown
    const name = calledName(program, argv);
    const spoken = error instanceof CommanderError ? usageError(error, name) : error;
    return await reportFailure(output, name, spoken).catch(() => exitCodeOf(spoken));
  }
}

/** `help proxy server` is `proxy server --help`: commander's own help looks at the first word alone. */
function asHelp(argv: readonly string[]): readonly string[] {
  const at = argv.findIndex((word) => !word.startsWith('-'));
  const path = argv.slice(at + 1).filter((word) => !word.startsWith('-'));
  return argv[at] === 'help' && path.length > 0 ? [...path, '--help'] : argv;
}

/** Asked for the help of a command that doesn't exist, commander shows the help of the one above it. */
function refuseUnknown(program: Command, words: readonly string[]): void {
  if (words.at(-1) !== '--help') return;
  let command = program;
  for (const word of words.slice(0, -1)) {
    if (word.startsWith('-') || command.commands.length === 0) return;
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) throw unknownCommand(word, command);
    command = next;
  }
}

function unknownCommand(word: string, above: Command): UsageError {
  const meant = nearest(
    word,
    above.commands.map((one) => one.name()),
  );
  const hint = meant === undefined ? 'knsock --help shows what there is.' : `Did you mean ${meant}?`;
  return new UsageError(`unknown command '${word}'`, hint);
}

/** The flags for printing errors must be known before anything can fail. */
function mannerOf(argv: readonly string[]): Manner {
  const end = argv.indexOf('--');
  const flags = new Set(end === -1 ? argv : argv.slice(0, end));
  return {
    quiet: flags.has('--quiet') || flags.has('-q'),
    json: flags.has('--json'),
    debug: flags.has('--debug'),
  };
}

/** The full name of the called command: `knsock certs issue`. */
function calledName(program: Command | undefined, argv: readonly string[]): string {
  const names = ['knsock'];
  let command = program;
  for (const word of argv.filter((one) => !one.startsWith('-') && one !== 'help')) {
    command = command?.commands.find((one) => one.name() === word);
    if (command === undefined) break;
    names.push(word);
  }
  return names.join(' ');
}

function usageError(error: CommanderError, name: string): UsageError {
  const [message = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n');
  const help = `${name} --help shows what there is.`;
  return new UsageError(
    message,
    suggestion === '' ? help : `${suggestion.replace(/^\((.*)\)$/, '$1')} ${help}`,
  );
}
