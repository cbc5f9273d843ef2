/** `knsock certs token` */
import type { Command } from 'commander';
import type { CertificateKind } from '@knsock/certs';
import type { TokenInfo } from '@knsock/certs/authority-server';
import { commonNameOption, refuseWebAddresses } from './certificate-options.js';
import { commandName } from '../../command-name.js';
import { address, append, count, life, span } from '../../options.js';
import type { Output } from '../../output.js';
import { UsageError } from '../../usage-error.js';
import { kindOption } from './issue.js';
import { addStoreArgument, requireStoreAt, storeArgument } from './store-options.js';

interface TokenFlags {
  authority?: string;
  name?: string[];
  uri?: string[];
  allow?: string[];
  commonName?: string;
  kind: CertificateKind;
  uses?: number;
  expires?: number;
  life?: number;
  address?: string;
  list?: boolean;
  withdraw?: string;
  bar?: string;
  unbar?: string;
}

export function defineToken(command: Command, output: Output): void {
  addStoreArgument(
    command.description('create a token with which a machine enrols at an authority that is served'),
  )
    .option('--name <name>', 'name of the certificate: DNS name or IP address (repeatable)', append)
    .option('--uri <uri>', 'URI of the certificate, such as a SPIFFE ID (repeatable)', append)
    .option(
      '--allow <pattern>',
      'names that the machine can choose: *.example.com, spiffe://example.com/* (repeatable); {name} in --uri stands for the chosen one',
      append,
    )
    .addOption(commonNameOption())
    .addOption(kindOption('client'))
    .option('--uses <n>', 'number of machines that can enrol (default: 1)', count)
    .option('--expires <time>', 'time until the token expires (default: 1h)', span)
    .option('--life <time>', 'validity of the certificate, which the machine renews (default: 24h)', life)
    .option('--address <address>', 'address of the authority (default: where it was served last)', address)
    .option('--list', 'list the tokens of the store')
    .option('--withdraw <id>', 'withdraw this token')
    .option('--bar <name>', 'refuse to renew certificates with this name')
    .option('--unbar <name>', 'allow renewals of this name again')
    .addHelpText('after', HELP)
    .action(async (store: string | undefined, flags: TokenFlags) => {
      await actionOf(flags)(storeArgument(store), flags, output);
    });
}

type Action = (directory: string, flags: TokenFlags, output: Output) => Promise<void>;

function actionOf({ list, withdraw, bar, unbar }: TokenFlags): Action {
  const chosen = [
    list === true && listAll,
    withdraw !== undefined && withdrawOne,
    (bar ?? unbar) !== undefined && barOne,
  ];
  const actions = chosen.filter((action) => action !== false);
  if (actions.length > 1 || (bar !== undefined && unbar !== undefined))
    throw new UsageError(
      '--list, --withdraw, --bar and --unbar exclude one another',
      'Do one after the other.',
    );
  return actions[0] ?? create;
}

async function create(directory: string, flags: TokenFlags, output: Output): Promise<void> {
  const { createToken, formatToken } = await import('@knsock/certs/authority-server');
  const known = await authorityAt(directory, flags);
  const { kind, name = [], uri = [], allow, commonName, uses = 1, life: days, expires = 3_600_000 } = flags;
  refuseWebAddresses(name);
  const names = [...name, ...uri];
  const secret = await createToken(directory, {
    ...{ kind, names, allow, commonName, uses, days },
    expiresIn: expires,
  });
  const told = allow === undefined ? names : [];
  const token = formatToken({ ...known, ...secret, kind, names: told });
  const until = new Date(Date.now() + expires);
  const times = uses === 1 ? 'once' : `${uses.toLocaleString('en')} times`;
  output.say(
    `Token ${secret.id} enrols ${[...names, ...(allow ?? [])].join(', ')} at ${known.address} ${times}, until ${until.toISOString()}.\n` +
      `On the machine: ${commandName()} certs enroll --token-file - --dir DIR`,
  );
  await output.result(
    { id: secret.id, secret: secret.secret, token, address: known.address, root: known.root, expires: until },
    token,
  );
}

/** The root is read from the store; its address is what the server recorded there, or the option. */
async function authorityAt(directory: string, flags: TokenFlags): Promise<{ address: string; root: string }> {
  await requireStoreAt(directory);
  const { knownAuthority, rootOf } = await import('@knsock/certs/authority-server');
  const known = await knownAuthority(directory);
  if (known !== undefined && flags.address === undefined && flags.authority === undefined) return known;
  const { openStore } = await import('@knsock/certs');
  const root = rootOf(await (await openStore(directory)).chain(flags.authority));
  const place = flags.address ?? known?.address;
  if (place !== undefined) return { address: place, root };
  throw new UsageError(
    `the authority of ${directory} was never served`,
    'Start it first (knsock certs serve), or say where machines will reach it: --address HOST:9443.',
  );
}

async function listAll(directory: string, _flags: TokenFlags, output: Output): Promise<void> {
  const { listTokens } = await import('@knsock/certs/authority-server');
  const tokens = await listTokens(directory);
  for (const token of tokens) await output.result(token, lineOf(token));
  if (tokens.length === 0) output.say('No tokens.');
}

function lineOf({ id, state, kind, names, allow, uses, enrolled, expires }: TokenInfo): string {
  const who = [...names, ...allow].join(', ');
  const head = `${id}  ${state.padEnd(9)}  ${enrolled.length}/${uses}  ${kind.padEnd(6)}  until ${expires.toISOString()}  ${who}`;
  const each = enrolled.map(
    ({ at, from, serial, key }) =>
      `  ${at.toISOString()}  from ${from}  serial ${serial ?? '(none yet)'}  key ${key.slice(0, 16)}`,
  );
  return [head, ...each].join('\n');
}

async function withdrawOne(directory: string, { withdraw = '' }: TokenFlags, output: Output): Promise<void> {
  const { withdrawToken } = await import('@knsock/certs/authority-server');
  await withdrawToken(directory, withdraw);
  output.say(
    `Token ${withdraw} can't enrol machines any more; certificates issued by it stay valid until they expire or are revoked.`,
  );
  if (output.manner.json) await output.record({ withdrawn: withdraw });
}

async function barOne(directory: string, { bar, unbar = '' }: TokenFlags, output: Output): Promise<void> {
  const { barRenewal } = await import('@knsock/certs/authority-server');
  const name = bar ?? unbar;
  await barRenewal(directory, name, { barred: bar !== undefined });
  const renewed =
    bar === undefined ? 'are renewed again' : 'are renewed no more; to end them at once: certs revoke';
  output.say(`Certificates of ${name} ${renewed}.`);
  if (output.manner.json) await output.record({ name, barred: bar !== undefined });
}

const HELP = `
The token is one line with the authority's address, the fingerprint of its root and a secret. Give it only to that machine.
The store has a hash of the secret. The first use binds the token to the machine's key.

Examples:
  $ knsock certs token --name agent-7
  $ knsock certs token certs --name db.internal --kind peer --uri spiffe://example.internal/db
  $ knsock certs token --allow '*.agents.internal' --uri 'spiffe://example.internal/agents/{name}' --uses 50 --expires 7d
  $ knsock certs token --list`;
