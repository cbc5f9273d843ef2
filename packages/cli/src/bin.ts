/** The entry of the `knsock` command. */
import { reportFailure } from './failure.js';
import { Output } from './output.js';
import { run } from './run.js';
import { UsageError } from './usage-error.js';

// The reader of our output may close it early (`| head`): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  const failure = new UsageError("standard output can't be written", 'Is the disk full?', 'KNSOCK_WRITE');
  failure.cause = error;
  const output = new Output({ quiet: false, json: false, debug: false }); // JSON would go to the closed output
  void reportFailure(output, 'knsock', failure).then((code) => process.exit(code));
});
process.stderr.on('error', () => undefined);

void start();

async function start(): Promise<void> {
  const code = await run(process.argv.slice(2));
  // Standard input may still be open, and must not keep the process waiting.
  // Where standard output failed, its listener reports that and ends the process.
  process.stdout.write('', (error) => {
    if (!error) process.exit(code);
  });
}
