/** `knsock certs init` */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Authority, Store } from '@knsock/certs';
import { commandName } from '../../command-name.js';
import { refuseExisting } from '../../written-files.js';
import { append, count } from '../../options.js';
import type { Output } from '../../output.js';
import { quote } from '../../quote.js';

interface InitFlags {
  name?: string[];
  client: string;
  caName: string;
  days?: number;
  force?: boolean;
}

/** The created files, with paths as a user would type them. */
interface Made {
  /** The name in the server's certificate, which clients connect to. */
  readonly name: string;
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

const LOCAL = ['localhost', '127.0.0.1', '::1'];

const EXISTS_HINT =
  'Choose another directory, or use --force to replace the server and client certificates; the CA stays.';

export function defineInit(command: Command, output: Output): void {
  command
    .description('create a CA, a server certificate and a client certificate')
    .argument('[directory]', 'directory of the new store', 'certs')
    .option(
      '--name <name>',
      'DNS name or IP address of the server (repeatable; default: localhost, 127.0.0.1, ::1)',
      append,
    )
    .option('--client <name>', 'common name of the client', 'client')
    .option('--ca-name <name>', 'common name of the CA', 'knsock development CA')
    .option('--days <n>', 'validity of the two certificates in days (default: 90)', count)
    .option('--force', 'replace existing server and client certificates; the CA is kept')
    .addHelpText('after', HELP)
    .action(async (directory: string, flags: InitFlags) => {
      const made = await init(directory, flags);
      const { name: _, ...files } = made;
      await output.result(made, report(made), Object.values(files).join('\n'));
    });
}

async function init(
  directory: string,
  { name, client, caName, days, force = false }: InitFlags,
): Promise<Made> {
  const places = placesIn(directory);
  if (!force) await refuseExisting(Object.values(places), EXISTS_HINT);
  const { openStore } = await import('@knsock/certs');
  const authority = await authorityOf(await openStore(directory), caName);
  await authority.issue({ kind: 'server', names: name ?? LOCAL, days, file: 'server', overwrite: force });
  await authority.issue({ kind: 'client', commonName: client, days, file: 'client', overwrite: force });
  return { name: name?.[0] ?? 'localhost', ...places };
}

/** An existing CA is kept: replacing it would cut off every peer that trusts it. */
async function authorityOf(store: Store, commonName: string): Promise<Authority> {
  const there = (await store.authorities()).includes('root');
  return there ? store.authority('root') : store.createAuthority({ commonName });
}

function placesIn(directory: string): Omit<Made, 'name'> {
  const issued = (file: string): string => join(directory, 'issued', file);
  return {
    ca: join(directory, 'ca', 'root.crt'),
    serverCert: issued('server.crt'),
    serverKey: issued('server.key'),
    clientCert: issued('client.crt'),
    clientKey: issued('client.key'),
  };
}

function report({ name, ca, serverCert, serverKey, clientCert, clientKey }: Made): string {
  const command = commandName();
  // On this machine the server is reached as localhost, whatever its name.
  const expecting = name === 'localhost' ? '' : ` --servername ${quote(name)}`;
  return `Made a CA, a server and a client certificate; keys are readable only by you.
  ${ca}
  ${serverCert}  ${serverKey}
  ${clientCert}  ${clientKey}

Next:
  ${command} serve --port 8443 --cert ${quote(serverCert)} --key ${quote(serverKey)} --ca ${quote(ca)} --client-cert require
  ${command} send localhost:8443 hello --cert ${quote(clientCert)} --key ${quote(clientKey)} --ca ${quote(ca)}${expecting}
  ${command} send localhost:8443 hello --ca ${quote(ca)}${expecting}    # without a certificate: refused with a reason
`;
}

const HELP = `
Keys are written with mode 0600. Nothing is overwritten without --force.

Examples:
  $ knsock certs init
  $ knsock certs init certs --name db.internal --name 10.0.0.7 --client app`;
