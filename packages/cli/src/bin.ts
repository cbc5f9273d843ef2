/** The entry of the `knsock` command. */
import { version } from './version.js';

const argv = process.argv.slice(2);

// The question that scripts ask most gets its answer before anything else is loaded.
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`${version()}\n`);
} else {
  void start();
}

async function start(): Promise<void> {
  // Whoever reads our output may leave when it has enough (`| head`): that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 23);
  });
  process.stderr.on('error', () => undefined);
  const { run } = await import('./run.js');
  const code = await run(argv);
  // Standard input may still be open, and must not keep the process waiting.
  process.stdout.write('', () => process.exit(code));
}
