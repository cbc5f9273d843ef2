/** `knsock certs crl` */
import type { Command } from 'commander';
import { PUBLIC, refuseTwoOutputs, writeOutput } from '../../files.js';
import { count } from '../../options.js';
import type { Output } from '../../output.js';
import { addStoreOptions, authorityOf, type StoreFlags } from './store-options.js';

interface CrlFlags extends StoreFlags {
  days?: number;
  out?: string;
}

export function defineCrl(command: Command, output: Output): void {
  command
    .description('sign a new revocation list (kept in the store as ca/NAME.crl)')
    .option('--days <n>', 'days until the next list is due (default: 7)', count)
    .option('--out <file>', 'also write it to this file; - is standard output');
  addStoreOptions(command)
    .addHelpText('after', HELP)
    .action(async (flags: CrlFlags) => {
      await publish(flags, output);
    });
}

async function publish(flags: CrlFlags, output: Output): Promise<void> {
  refuseTwoOutputs(output, flags.out);
  const authority = await authorityOf(flags, output);
  const { pem, number, thisUpdate, nextUpdate } = await authority.crl({ days: flags.days });
  // A list is meant to be replaced by the next.
  if (flags.out !== undefined) await writeOutput(output, flags.out, pem, { mode: PUBLIC, force: true });
  if (flags.out === '-') return;
  await output.result(
    { number, thisUpdate, nextUpdate },
    `list ${number} signed, the next is due by ${nextUpdate.toISOString()}`,
  );
}

const HELP = `
Run it after each revocation, and daily by cron: with an overdue list every client is refused. knsock serve
and knsock proxy load a new --crl file by themselves. Example:
  $ knsock certs crl --out /etc/knsock/ca.crl`;
