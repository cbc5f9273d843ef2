/** `knsock certs trust …` */
import { Option, type Command } from 'commander';
import { FOUND } from '../../exit-codes.js';
import { repeatable } from '../../given-once.js';
import { addGlobalOptions, configure } from '../../global-options.js';
import { append } from '../../options.js';
import type { Output } from '../../output.js';
import { storeNames, trustStores, type StoreName, type TrustStore } from '../../trusting/stores.js';
import { withCa, type ChosenCa } from '../../trusting/trusted-ca.js';
import { UsageError } from '../../usage-error.js';

interface TrustFlags {
  ca?: string;
  into?: StoreName[];
}

/** A store, and the CA's state in it. */
interface Standing {
  readonly store: StoreName;
  readonly readers: string;
  readonly state: 'trusted' | 'not trusted' | 'unavailable';
  readonly reason: string | undefined;
}

type Action = 'install' | 'uninstall' | 'status';

const summaries: Readonly<Record<Action, string>> = {
  install: "have this machine's programs and browsers trust a development CA",
  uninstall: 'remove the CA from the trust stores',
  status: 'show which trust stores hold the CA',
};

export function defineTrust(command: Command, output: Output): void {
  command.description('trust a development CA on this machine: system, browsers, Java');
  for (const action of Object.keys(summaries) as Action[])
    defineAction(addGlobalOptions(configure(command.command(action))), action, output);
  command.addHelpText('after', HELP);
}

function defineAction(command: Command, action: Action, output: Output): void {
  command
    .description(summaries[action])
    .option('--ca <file>', 'root certificate of the CA (default: the development CA of serve --dev)')
    .addOption(
      new Option('--into <store>', 'trust store (repeatable; default: all that can be used)')
        .choices(storeNames)
        .argParser(repeatable((value: string, before?: string[]) => append(checkStore(value), before))),
    )
    .addHelpText('after', EXAMPLES[action])
    .action(async (flags: TrustFlags) => {
      process.exitCode = await trust(action, flags, output);
    });
}

function checkStore(value: string): string {
  if ((storeNames as readonly string[]).includes(value)) return value;
  throw new UsageError(`${value} is no trust store`, `These are: ${storeNames.join(', ')}.`);
}

async function trust(action: Action, { ca, into }: TrustFlags, output: Output): Promise<number> {
  return withCa({ ca, make: action === 'install' }, async (chosen) => {
    if (chosen === undefined) {
      await output.result({ ca: null, stores: [] }, 'This user has no development CA.');
      return action === 'status' ? FOUND : 0;
    }
    if (action === 'install' && chosen.unlimited)
      output.warn(
        `${chosen.source} has no name constraints: a thief of its key could impersonate any site to this machine`,
      );
    const stores = trustStores().filter(({ name }) => into?.includes(name) ?? true);
    const standings: Standing[] = [];
    for (const store of stores) standings.push(await standingIn(store, chosen, action, into !== undefined));
    const subject = chosen.certificate.subject.toString();
    const record = { ca: subject, file: chosen.source, stores: standings };
    await output.result(record, report(subject, chosen, standings, action));
    const isTrusted = standings.every(({ state }) => state !== 'not trusted');
    return action === 'status' && !isTrusted ? FOUND : 0;
  });
}

/** Applies the change, and reads the new state. @throws UsageError for a named store that can't be used */
async function standingIn(
  store: TrustStore,
  ca: ChosenCa,
  action: Action,
  wasNamed: boolean,
): Promise<Standing> {
  const { name, readers } = store;
  const reason = await store.missing();
  if (reason !== undefined) {
    if (wasNamed && action !== 'status')
      throw new UsageError(`the trust store ${name} can't be changed: ${reason}`, '', 'KNSOCK_TRUST_STORE');
    return { store: name, readers, state: 'unavailable', reason };
  }
  const isThere = await store.has(ca);
  if (action === 'install' && !isThere) await store.add(ca);
  if (action === 'uninstall' && isThere) await store.remove(ca);
  const state = (await store.has(ca)) ? 'trusted' : 'not trusted';
  return { store: name, readers, state, reason: undefined };
}

function report(
  subject: string,
  { source }: ChosenCa,
  standings: readonly Standing[],
  action: Action,
): string {
  const lines = standings.map(
    ({ store, state, readers, reason }) => `  ${store.padEnd(7)} ${state.padEnd(12)} ${reason ?? readers}`,
  );
  const node = `Node reads none of them by itself: NODE_EXTRA_CA_CERTS=${source}, or node --use-system-ca (22.15, 23.8 and later).`;
  return [`${subject} (${source})`, ...lines, ...(action === 'uninstall' ? [] : [node])].join('\n');
}

const EXAMPLES: Readonly<Record<Action, string>> = {
  install: `
The development CA is created if there is none. The key of its root was deleted, and its intermediate signs only for local names.
Restart running programs: they read the trust stores when they start.

Examples:
  $ knsock certs trust install
  $ sudo knsock certs trust install --ca certs/ca/root.crt --into system`,
  uninstall: `
Example:
  $ knsock certs trust uninstall`,
  status: `
Exit code: 3 if a trust store that can be used lacks the CA. Example:
  $ knsock certs trust status --json`,
};

const HELP = `
system is Debian's ca-certificates (macOS: the login keychain, Windows: the user's Root store; neither is tested by us), nss what
Chromium and Firefox of this user read, java the cacerts file of the JDK.

Example:
  $ knsock certs trust install`;
