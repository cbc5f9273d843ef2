/** Runs the command: from arguments to exit code. */
import { CommanderError, type Command } from 'commander';
import { nearest } from '@knsock/core/options';
import { exitCodeOf } from './exit-codes.js';
import { describeFailure, reportFailure } from './failure.js';
import { Output, type Manner } from './output.js';
import { buildProgram } from './program.js';
import { synonymHint } from './flag-synonyms.js';
import { keepHangUps } from './hang-up.js';
import { UsageError } from './usage-error.js';

const WRONG_USE = 2;

/**
 * Runs the command; resolves with its exit code and never rejects.
 * @param argv the arguments after the command's name, such as `['send', 'localhost:8443', 'hello']`
 */
export async function run(argv: readonly string[]): Promise<number> {
  const output = new Output(mannerOf(argv));
  forgetEmptyVariables(process.env);
  if (isServing(argv)) keepHangUps();
  let program: Command | undefined;
  try {
    const asked = asHelp(argv);
    program = await buildProgram(asked, output);
    const words = asHelpBelow(program, asked);
    refuseUnknown(program, words);
    await program.parseAsync(words, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const command = program && calledCommand(program, argv);
    const name = command === undefined ? 'knsock' : fullName(command);
    // The help was shown.
    if (error instanceof CommanderError && error.code === 'commander.help')
      return await reportMissing(output, name).catch(() => WRONG_USE);
    const spoken = error instanceof CommanderError && command ? usageError(error, command) : error;
    return await reportFailure(output, name, spoken).catch(() => exitCodeOf(spoken));
  }
}

/** Whether the command stays, and takes SIGHUP for an order to look again. */
function isServing(argv: readonly string[]): boolean {
  const [first, second] = argv.filter((word) => !word.startsWith('-'));
  if (first === 'certs') return second === 'serve' || (second === 'renew' && argv.includes('--daemon'));
  return first === 'serve' || first === 'proxy' || first === 'run-ssl-tcp-server';
}

/** An empty variable is an unset one: unit files and compose files can't leave one out on a condition. */
function forgetEmptyVariables(variables: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(variables))
    if (name.startsWith('KNSOCK_') && value === '') Reflect.deleteProperty(variables, name);
}

/** `help proxy server` is `proxy server --help`: commander's own help looks at the first word alone. */
function asHelp(argv: readonly string[]): readonly string[] {
  const at = argv.findIndex((word) => !word.startsWith('-'));
  const path = argv.slice(at + 1).filter((word) => !word.startsWith('-'));
  return argv[at] === 'help' && path.length > 0 ? [...path, '--help'] : argv;
}

/** `certs help issue` is `certs issue --help`; `help` elsewhere is an argument. */
function asHelpBelow(program: Command, words: readonly string[]): readonly string[] {
  let command: Command | undefined = program;
  for (const [at, word] of words.entries()) {
    if (word.startsWith('-')) continue;
    if (command.commands.length === 0) return words;
    if (word === 'help' && command !== program && words.slice(at + 1).some((one) => !one.startsWith('-')))
      return [...words.toSpliced(at, 1).filter((one) => !one.startsWith('-')), '--help'];
    command = command.commands.find((one) => one.name() === word);
    if (command === undefined) return words;
  }
  return words;
}

/** A command without the one below it that was meant: people saw the help. */
async function reportMissing(output: Output, name: string): Promise<number> {
  const missing = new UsageError(`${name} needs a command`, `${name} --help lists them.`);
  if (output.manner.json) await output.record({ event: 'error', ...describeFailure(missing, name) });
  return WRONG_USE;
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
  const hint =
    meant === undefined ? `${fullName(above)} --help lists the commands.` : `Did you mean ${meant}?`;
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

/** The called command, as far as its name is right: `knsock certs issue`. */
function calledCommand(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const word of argv.filter((one) => !one.startsWith('-') && one !== 'help')) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) break;
    command = next;
  }
  return command;
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function usageError(error: CommanderError, command: Command): UsageError {
  const [message = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n');
  const [, flag = ''] = /^unknown option '(-[^'=]*)/.exec(message) ?? [];
  const near = synonymHint(flag, command) ?? suggestion.replace(/^\((.*)\)$/, '$1');
  const help = `${fullName(command)} --help lists its ${command.commands.length > 0 ? 'commands' : 'arguments and options'}.`;
  return new UsageError(message, near === '' ? help : `${near} ${help}`);
}
