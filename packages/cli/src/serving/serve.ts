/** Runs `knsock serve` with parsed arguments. */
import { listen, type ErrorContext, type SecureServer } from '@knsock/core';
import type { RefreshingRevocationSource } from '@knsock/certs';
import { commandName } from '../command-name.js';
import { framingOf } from '../framings.js';
import type { Output } from '../output.js';
import { followLists, refreshWith } from '../revocation-lists.js';
import { answeringOf } from './answering.js';
import type { Development } from './development.js';
import type { ServeFlags } from './flags.js';
import { listenOptions, requireUsedTrust } from './listen-options.js';
import { runUntilSignal } from './lifecycle.js';
import { ServeLog } from './serve-log.js';
import { servedCredentials } from './served-credentials.js';
import { Traffic } from './traffic.js';
import { startStatus, type StatusPage } from './status.js';

export async function serve(flags: ServeFlags, output: Output): Promise<number> {
  const log = new ServeLog(output, 'serve');
  const answering = await answeringOf(flags, log);
  const framing = framingOf(flags);
  const place = listenOptions(flags);
  requireUsedTrust(flags, place);
  const revocation = await listsOf(flags, log);
  // Before validations, which may fail because of a client that is refused.
  const unwatch = log.watchFailures();
  const traffic = flags.status === undefined ? null : new Traffic();
  const uncount = traffic?.countRequests();
  // Last before the server listens: a renewal that is due would soon open the port itself.
  const credentials = await servedCredentials(flags, place, log);
  refreshWith(credentials.source, revocation);
  const onError = (error: Error, { connection }: ErrorContext): void => {
    log.programFailed(connection?.id, error);
  };
  const options = { ...place, framing, credentials: credentials.source, revocation, onError };
  const server = await listen(options, (connection) => {
    log.follow(connection);
    traffic?.follow(connection);
    return answering.handle(connection);
  });
  const stats = () => ({
    ...server.stats(),
    ...traffic?.totals(),
    certificatesExpireAt: credentials.source.current.expiresAt,
  });
  const status = await statusOf(flags, stats);
  const reload = async (): Promise<void> => {
    await credentials.reload();
    await revocation?.refresh();
  };
  const announce = (): void => {
    log.listening(server, answering.what, status?.page.where);
    const { development } = credentials;
    if (development !== undefined) logDevelopment(development, flags, server, log);
    log.showStatus(server);
  };
  const code = await runUntilSignal({ server, log, announce, reload, draining: () => status?.draining() });
  await credentials.close();
  revocation?.close();
  status?.page.close();
  unwatch();
  uncount?.();
  return code;
}

/** The lists of --crl where there is a URL; a development CA has none. */
async function listsOf(flags: ServeFlags, log: ServeLog): Promise<RefreshingRevocationSource | undefined> {
  if (flags.dev === true) return undefined;
  return followLists(flags, (error) => {
    log.failed('fetching the revocation list', error);
  });
}

/** Prints the command that connects. */
function logDevelopment(
  { folder, client }: Development,
  { framing, clientCert }: ServeFlags,
  { address }: SecureServer,
  log: ServeLog,
): void {
  const place =
    'path' in address ? `unix:${address.path} --servername localhost` : `localhost:${address.port}`;
  const speaking = framing === 'knsock' ? '' : ` --framing ${framing}`;
  const shown = clientCert === 'none' ? '' : ` --cert ${client.certFile} --key ${client.keyFile}`;
  const identity = `--ca ${client.caFile}${shown}`;
  const connect = `${commandName()} send ${place} hello${speaking} ${identity}`;
  log.event('development', { folder, connect }, `certificates are in ${folder}; to connect:\n  ${connect}`);
}

async function statusOf(
  { status: address }: ServeFlags,
  stats: () => object,
): Promise<{ page: StatusPage; draining: () => void } | undefined> {
  if (address === undefined) return undefined;
  let ready = true;
  const page = await startStatus(address, { ready: () => ready, stats });
  return { page, draining: () => (ready = false) };
}
