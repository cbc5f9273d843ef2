/** `knsock certs renew` */
import type { Command } from 'commander';
import { answerTimeoutOption } from './certificate-options.js';
import { append } from '../../options.js';
import type { Output } from '../../output.js';
import { UsageError } from '../../usage-error.js';
import { renewMachines, renewUntilSignal, type MachineFlags } from '../../renewing/machines.js';
import { renewPair, type PairFlags } from '../../renewing/pair.js';
import { addStoreOptions } from './store-options.js';

type RenewFlags = PairFlags & MachineFlags & { daemon?: boolean };

export function defineRenew(command: Command, output: Output): void {
  command
    .description('renew certificates that are due, in files or in the directories of enrolled machines')
    .argument('[cert]', 'file of the certificate')
    .argument('[key]', 'file of its key')
    .option(
      '--dir <directory>',
      'directory of an enrolled machine; its authority issues (repeatable)',
      append,
    )
    .option('--all <directory>', 'all directories of enrolled machines in this directory')
    .option(
      '--daemon',
      'keep running and renew when due, until SIGTERM; SIGHUP looks at once (with --dir or --all)',
    )
    .option('--exec <command>', 'run a shell command after each renewal (with --dir or --all)')
    .option(
      '--signal-pid <file>',
      'send SIGHUP to the process whose PID is in this file after each renewal (with --dir or --all)',
    )
    .addOption(answerTimeoutOption())
    .option('--reuse-key', 'keep the key, for peers that pin it')
    .option('--force', "renew even if it isn't due")
    .option(
      '--passphrase-file <file>',
      'file with the passphrase of an encrypted key (or set KNSOCK_PASSPHRASE)',
    );
  addStoreOptions(command)
    .addHelpText('after', HELP)
    .action(async (cert: string | undefined, key: string | undefined, flags: RenewFlags) => {
      const code = await renewAny(cert, key, flags, output);
      if (code !== undefined) process.exitCode = code;
    });
}

async function renewAny(
  cert: string | undefined,
  key: string | undefined,
  flags: RenewFlags,
  output: Output,
): Promise<number | undefined> {
  const isMachine = flags.dir !== undefined || flags.all !== undefined;
  if (isMachine && cert !== undefined)
    throw new UsageError('--dir and --all exclude files', 'Renew one after the other.');
  if (isMachine)
    return flags.daemon === true ? renewUntilSignal(flags, output) : renewMachines(flags, output);
  if (flags.daemon === true || flags.exec !== undefined || flags.signalPid !== undefined)
    throw new UsageError(
      '--daemon, --exec and --signal-pid need --dir or --all',
      'Say which folder is meant.',
    );
  if (cert === undefined || key === undefined)
    throw new UsageError('say what to renew', 'Give the files of a certificate and its key, or --dir DIR.');
  await renewPair(cert, key, flags, output);
  return undefined;
}

const HELP = `
The new certificate has the names, subject, purpose and validity of the old one. A self-signed certificate stays
self-signed and must be distributed to its peers again, unless --authority names an authority. One that no authority of the store
issued is refused, unless --authority names the one to move it to. With --dir the authority is asked over mutual TLS with the old certificate, after two thirds of its validity.
Examples:
  $ knsock certs renew certs/issued/server.crt certs/issued/server.key && systemctl reload db-proxy
  $ knsock certs renew --dir /etc/knsock/agent-7 --daemon --exec 'systemctl reload agent'
  $ knsock certs renew --all /etc/knsock`;
