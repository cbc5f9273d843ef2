/** The entry of the `knsock` command. */
import { run } from './run.js';

// Whoever reads our output may leave when it has enough (`| head`): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 23);
});
process.stderr.on('error', () => undefined);

void start();

async function start(): Promise<void> {
  const code = await run(process.argv.slice(2));
  // Standard input may still be open, and must not keep the process waiting.
  process.stdout.write('', () => process.exit(code));
}
