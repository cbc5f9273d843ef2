// The command as a function, for programs that wrap it
export { run } from './run.js';
export { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.js';
