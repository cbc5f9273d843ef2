// The command as a function, for programs that wrap it
export { run } from './run.js';
export { exitCodeOf } from './exit-codes.js';
export { exitCodes, type ExitCode } from './exit-code-table.js';

// Its commands and options, as data
export { describeCommands } from './describe-commands.js';
export type { ArgumentDescription, CommandDescription, OptionDescription, Value } from './command-tree.js';
export { environment } from './environment.js';

// Its rules of `check`, as data
export { describeRules, type RuleDescription } from './check/rules.js';
