/** Prompts for a secret without echo. */
import { Writable } from 'node:stream';
import { UsageError } from './usage-error.js';

/** @throws UsageError if the user cancels (Ctrl-C, Ctrl-D) */
export async function askSecret(question: string): Promise<string> {
  const { createInterface } = await import('node:readline');
  const silent = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  process.stderr.write(question);
  const readline = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise((resolve, reject) => {
      const giveUp = (): void => {
        reject(new UsageError('no passphrase was typed', 'Give it in a file: --store-passphrase-file FILE.'));
      };
      readline.once('line', resolve).once('SIGINT', giveUp).once('close', giveUp);
    });
  } finally {
    readline.close();
    process.stderr.write('\n');
  }
}
