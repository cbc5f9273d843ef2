/** `knsock completion` */
import { Argument, type Command } from 'commander';
import { describeCommand } from '../command-tree.js';
import { bashCompletion } from '../completion/bash.js';
import { fishCompletion } from '../completion/fish.js';
import { placesOf } from '../completion/words.js';
import { zshCompletion } from '../completion/zsh.js';
import type { Output } from '../output.js';

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** @param program creates the program with every command defined */
export function defineCompletion(command: Command, output: Output, program: () => Promise<Command>): void {
  command
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(shells)))
    .addHelpText('after', HELP)
    .action(async (shell: keyof typeof shells) => {
      const script = shells[shell](placesOf(describeCommand(await program())));
      await output.result({ shell, script }, script);
    });
}

const HELP = `
The script contains every command, option and fixed value; completing starts no process.

Examples:
  $ echo 'source <(knsock completion bash)' >> ~/.bashrc
  $ knsock completion zsh > "\${fpath[1]}/_knsock"
  $ knsock completion fish > ~/.config/fish/completions/knsock.fish`;
