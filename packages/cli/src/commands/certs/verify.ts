/** `knsock certs verify` */
import { Option, type Command } from 'commander';
import type { ChainVerdict } from '@knsock/certs';
import { EasySocketError } from '@knsock/core/errors';
import { exitCodeOf } from '../../exit-codes.js';
import { hintOf } from '../../hints.js';
import { naming, readInput } from '../../files.js';
import { append, caOption, crlOption, passphraseFileOption, pfxKeyNameOption } from '../../options.js';
import type { Output } from '../../output.js';
import { addPolicyOptions, policiesOf, type PolicyFlags } from '../../policy-flags.js';
import { addRevocationOptions, revocationOf, type RevocationFlags } from '../../revocation-flags.js';
import { listSource } from '../../revocation-lists.js';
import { eachKey, openingOf, type OpeningFlags } from '../../store-keys.js';
import { UsageError } from '../../usage-error.js';

interface VerifyFlags extends RevocationFlags, OpeningFlags, PolicyFlags {
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
    .description('verify a certificate as a connection does')
    .argument('<chain>', 'the certificate and its intermediates in any format; - is standard input')
    .addOption(caOption('trusted CA certificates (repeatable)').makeOptionMandatory())
    .option('--intermediate <file>', 'further intermediates that the chain lacks (repeatable)', append)
    .option('--name <name>', 'name that the certificate must contain')
    .addOption(
      new Option('--usage <usage>', 'purpose that the certificate must allow')
        .choices(['server', 'client'])
        .default('server'),
    )
    .addOption(passphraseFileOption())
    .addOption(pfxKeyNameOption())
    .addOption(crlOption('a revocation list, or its http(s) URL (repeatable)'));
  addRevocationOptions(command);
  addPolicyOptions(command)
    .addOption(
      new Option('--rules <rules>', 'web adds the requirements of browsers (CA/Browser Forum)')
        .choices(['private', 'web'])
        .default('private'),
    )
    .option(
      '--partial-chain',
      'accept an intermediate or the certificate itself as trust anchor if --ca contains it',
    )
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
      "Give --crl: without a list revocation isn't looked at.",
    );
  const input = await readInput(chain);
  const keys = await eachKey(input, await openingOf(flags));
  const settings = {
    ca: flags.ca.map((file) => ({ file })),
    intermediates: asFiles(flags.intermediate),
    crls: flags.crl?.map(listSource),
    ...{ name, usage, rules, partialChain, revocation, policies: policiesOf(flags) },
  };
  let exitCode = 0;
  for (const { input: one, opening, name: key } of keys) {
    const verdict = await naming(chain, () => verifyChain({ chain: one, ...settings, ...opening }));
    if (key === undefined) await output.result(verdict, verdict.message);
    else await output.result({ key, ...verdict }, `${key}: ${verdict.message}`);
    exitCode ||= explain(verdict, output);
  }
  return exitCode;
}

/** @returns the exit code */
function explain(verdict: ChainVerdict, output: Output): number {
  if (verdict.ok) return 0;
  const code = codeOf(verdict);
  // A hint about these certificates is more useful than one for the code.
  const isUsual = verdict.hint === new EasySocketError(code, '').hint;
  output.say(`hint: ${(isUsual ? hintOf(code, 'certs verify') : undefined) ?? verdict.hint}`);
  return exitCodeOf({ code });
}

function codeOf({ reason }: Extract<ChainVerdict, { ok: false }>): string {
  return `KNSOCK_PEER_${reason.toUpperCase().replaceAll('-', '_')}`;
}

const HELP = `
Exit code: 0 if trusted, 60 if not, 91 if revoked. Example:
  $ knsock certs verify server.crt --ca ca.crt --name db.internal --crl ca.crl`;
