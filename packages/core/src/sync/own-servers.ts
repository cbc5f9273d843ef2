/** Servers in the thread that a call is about to block: they could never answer it. */
import { hostname, networkInterfaces } from 'node:os';
import { isIP } from 'node:net';
import { BlockingCallError } from '../errors/index.js';
import { listeningHere } from '../server/listening-here.js';

/** @throws BlockingCallError where a server of this library in this thread listens at that place */
export function refuseOwnServer(host: string, port: number): void {
  for (const own of listeningHere()) {
    if (!('port' in own) || own.port !== port || !leadsTo(host, own.address)) continue;
    throw new BlockingCallError(
      'same-thread',
      `the server at ${host}:${port} runs in this thread, which a blocking call stops: it could never answer`,
    );
  }
}

/** Whether any server of this thread, of this library or not, might be the one at that host. */
export function mayWaitForItself(host: string): boolean {
  return isThisMachine(host) && process.getActiveResourcesInfo().includes('TCPServerWrap');
}

function leadsTo(host: string, listening: string): boolean {
  if (host.toLowerCase() === listening.toLowerCase()) return true;
  const everywhere = listening === '0.0.0.0' || listening === '::';
  if (everywhere) return isThisMachine(host);
  return isLocalName(host) && isLoopback(listening);
}

function isThisMachine(host: string): boolean {
  if (isLocalName(host) || isLoopback(host) || host.toLowerCase() === hostname().toLowerCase()) return true;
  if (isIP(host) === 0) return false;
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === host),
  );
}

/** RFC 6761 6.3: `localhost` and what ends in it are loopback. */
function isLocalName(host: string): boolean {
  return /^(.+\.)?localhost\.?$/i.test(host);
}

function isLoopback(address: string): boolean {
  return address === '::1' || address === '0.0.0.0' || address === '::' || /^(::ffff:)?127\./i.test(address);
}
