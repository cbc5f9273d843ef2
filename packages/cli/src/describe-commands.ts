/** All commands, arguments and options as data: for references, completions and programs that wrap the command. */
import { describeCommand, type CommandDescription } from './command-tree.js';
import { Output } from './output.js';
import { buildProgram } from './program.js';

/** The whole command as plain data. */
export async function describeCommands(): Promise<CommandDescription> {
  return describeCommand(await buildProgram('all', new Output({ quiet: false, json: false, debug: false })));
}
