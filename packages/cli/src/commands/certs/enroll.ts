/** `knsock certs enroll` */
import type { Command } from 'commander';
import type { KeyType } from '@knsock/certs';
import { decodeText } from '@knsock/core/options';
import { answerTimeoutOption } from './certificate-options.js';
import { readInput, shortPath } from '../../files.js';
import { append } from '../../options.js';
import type { Output } from '../../output.js';
import { UsageError } from '../../usage-error.js';
import { keyTypeOption } from './store-options.js';
import { quote } from '../../quote.js';

interface EnrollFlags {
  tokenFile?: string;
  dir: string;
  name?: string[];
  keyType?: KeyType;
  force?: boolean;
  timeout?: number;
}

export function defineEnroll(command: Command, output: Output): void {
  command
    .description('enrol this machine at an authority; its key is created here and stays here')
    .argument('[token]', 'the token, which other users can see in the process list')
    .option('--token-file <file>', 'file with the token; - is standard input (or set KNSOCK_TOKEN)')
    .requiredOption('--dir <directory>', 'directory for tls.crt, tls.key and ca.crt')
    .option('--name <name>', 'name to request, if the token allows several (repeatable)', append)
    .addOption(keyTypeOption())
    .option('--force', 'replace a certificate of another token')
    .addOption(answerTimeoutOption())
    .addHelpText('after', HELP)
    .action(async (token: string | undefined, flags: EnrollFlags) => {
      await enrolHere(token, flags, output);
    });
}

async function enrolHere(argument: string | undefined, flags: EnrollFlags, output: Output): Promise<void> {
  const token = await tokenOf(argument, flags, output);
  const { enroll } = await import('@knsock/certs');
  const { dir, name: names, keyType, force, timeout } = flags;
  const done = await enroll({ token, dir, names, keyType, force, timeout });
  const { enrolled, authority, certFile, keyFile, caFile, notAfter } = done;
  const until = `valid until ${notAfter.toISOString()}`;
  output.say(
    enrolled
      ? `Enrolled ${done.names.join(', ')} at ${authority}, ${until}.`
      : `This token was used here already; ${until}.`,
  );
  output.say(`Renew it in time: knsock certs renew --dir ${quote(shortPath(dir))} --daemon`);
  await output.result(done, [certFile, keyFile, caFile].map(shortPath).join('\n'));
}

async function tokenOf(
  argument: string | undefined,
  { tokenFile }: EnrollFlags,
  output: Output,
): Promise<string> {
  if (tokenFile !== undefined) return decodeText(await readInput(tokenFile));
  if (argument !== undefined) {
    output.warn(
      'the token is an argument, which other users of this machine can see; --token-file - reads it from standard input',
    );
    return argument;
  }
  const { KNSOCK_TOKEN = '' } = process.env;
  if (KNSOCK_TOKEN !== '') return KNSOCK_TOKEN;
  throw new UsageError(
    'there is no token',
    'Give it by --token-file FILE (- is standard input) or KNSOCK_TOKEN; knsock certs token makes one.',
  );
}

const HELP = `
The authority is verified by the fingerprint in the token before the secret is sent. After a crash, run it again with the same token.

Examples:
  $ knsock certs enroll --token-file - --dir /etc/knsock/agent-7
  $ KNSOCK_TOKEN=knsock1.… knsock certs enroll --dir agent-7`;
