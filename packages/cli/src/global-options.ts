/** What all commands have in common. */
import type { Command, Help } from 'commander';

/** Longer lines are hard to read, however wide the terminal is. */
const WIDEST = 100;

/** The options that every command has. */
export function addGlobalOptions(command: Command): Command {
  return command
    .option('-q, --quiet', 'print only warnings and errors on standard error')
    .option('--json', 'print data as JSON, one value a line')
    .option('--debug', 'show stack traces with errors');
}

/** How every command and its subcommands parse and fail. */
export function configure(command: Command): Command {
  return command
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({
      helpWidth: Math.min(process.stdout.columns ?? WIDEST, WIDEST),
      sortOptions: false,
    } satisfies Partial<Help>)
    .showSuggestionAfterError(true);
}
