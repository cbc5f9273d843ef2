/** `knsock certs …`: one file per subcommand. */
import type { Command } from 'commander';
import { addGlobalOptions, configure } from '../program.js';
import type { Output } from '../output.js';
import { defineInit } from './certs/init.js';

export function defineCerts(command: Command, output: Output): void {
  const add = (name: string): Command => addGlobalOptions(configure(command.command(name)));
  defineInit(add('init'), output);
}
