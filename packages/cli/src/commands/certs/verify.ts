/** `knsock certs verify` */
import { Option, type Command } from 'commander';
import type { ChainVerdict } from '@knsock/certs';
import { exitCodeOf } from '../../exit-codes.js';
import { hintOf } from '../../hints.js';
import { append } from '../../options.js';
import type { Output } from '../../output.js';
import { addRevocationOptions, revocationOf, type RevocationFlags } from '../../revocation-flags.js';
import { UsageError } from '../../usage-error.js';

interface VerifyFlags extends RevocationFlags {
  ca: string[];
  intermediate?: string[];
  name?: string;
  usage: 'server' | 'client';
  crl?: string[];
  rules: 'private' | 'web';
  partialChain?: boolean;
}

export function defineVerify(command: Command, output: Output): void {
  command
    .description('judge a certificate as a connection would')
    .argument('<chain>', 'the certificate and its intermediates, PEM or DER')
    .requiredOption('--ca <file>', 'whom to trust (repeatable)', append)
    .option('--intermediate <file>', 'further issuers, where the chain lacks them (repeatable)', append)
    .option('--name <name>', 'the name that it must carry')
    .addOption(
      new Option('--usage <usage>', 'what it must be good for')
        .choices(['server', 'client'])
        .default('server'),
    )
    .option('--crl <file>', 'a revocation list (repeatable)', append);
  addRevocationOptions(command)
    .addOption(
      new Option('--rules <rules>', 'web adds the formalities that browsers ask for')
        .choices(['private', 'web'])
        .default('private'),
    )
    .option('--partial-chain', 'trust an intermediate or the certificate itself where --ca names it')
    .addHelpText('after', HELP)
    .action(async (chain: string, flags: VerifyFlags) => {
      process.exitCode = await verify(chain, flags, output);
    });
}

async function verify(chain: string, flags: VerifyFlags, output: Output): Promise<number> {
  const { verifyChain } = await import('@knsock/certs');
  const asFiles = (files: string[] | undefined) => files?.map((file) => ({ file }));
  const { name, usage, rules, partialChain } = flags;
  const revocation = revocationOf(flags);
  if (revocation !== undefined && flags.crl === undefined)
    throw new UsageError(
      'no revocation list was given',
      'Give --crl: without a list revocation isn’t looked at.',
    );
  const verdict = await verifyChain({
    chain: { file: chain },
    ca: flags.ca.map((file) => ({ file })),
    intermediates: asFiles(flags.intermediate),
    crls: asFiles(flags.crl),
    ...{ name, usage, rules, partialChain, revocation },
  });
  await output.result(verdict, verdict.words);
  if (verdict.ok) return 0;
  const code = codeOf(verdict);
  output.say(`hint: ${hintOf(code, 'certs verify') ?? verdict.hint}`);
  return exitCodeOf({ code });
}

function codeOf({ reason }: Extract<ChainVerdict, { ok: false }>): string {
  return `KNSOCK_PEER_${reason.toUpperCase().replaceAll('-', '_')}`;
}

const HELP = `
Exits with 0 where it is trusted, 60 where it isn't, 91 where it is revoked. Example:
  $ knsock certs verify server.crt --ca ca.crt --name db.internal --crl ca.crl`;
