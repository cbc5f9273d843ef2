/** `knsock proxy client` */
import type { Socket } from 'node:net';
import type { Command } from 'commander';
import type { ConnectOptions, Credentials } from '@knsock/core';
import { parseAddress, remoteOf, showAddress } from '../../address.js';
import {
  addCredentialOptions,
  addProfileOptions,
  append,
  credentialFiles,
  milliseconds,
  profileOf,
  type CredentialFlags,
  type ProfileFlags,
} from '../../options.js';
import type { Output } from '../../output.js';
import { bridge } from '../../proxying/bridge.js';
import { PlainListener, requireLoopback } from '../../proxying/plain.js';
import { Targets, type Target } from '../../proxying/targets.js';
import { runUntilSignal } from '../../serving/lifecycle.js';
import { ServeLog } from '../../serving/serve-log.js';

interface ProxyClientFlags extends CredentialFlags, ProfileFlags {
  listen: string;
  target?: string[];
  servername?: string;
  pin?: string[];
  dangerouslyPlainNetwork?: boolean;
  connectTimeout: number;
  drainTimeout: number;
}

export function defineProxyClient(command: Command, output: Output): void {
  command
    .description('take plain connections and pass them on over TLS')
    .requiredOption('--listen <address>', 'where to take plain connections: host:port, :port or unix:/path')
    .option('--target <address>', 'the TLS server (repeatable: in turn, the next where one is down)', append);
  addCredentialOptions(command);
  command
    .option(
      '--servername <name>',
      'the name to ask for, and to expect in the certificate (default: the host)',
    )
    .option('--pin <pin>', 'a key, sha256/…, that the server’s chain must have (repeatable)', append)
    .option('--dangerously-plain-network', 'listen on an address that others than this machine reach');
  addProfileOptions(command);
  command
    .option('--connect-timeout <ms>', 'how long reaching a target may take', milliseconds, 10_000)
    .option('--drain-timeout <ms>', 'how long open connections may go on at the end', milliseconds, 15_000)
    .addHelpText('after', HELP)
    .action(async (flags: ProxyClientFlags) => {
      process.exitCode = await proxyClient(flags, output);
    });
}

async function proxyClient(flags: ProxyClientFlags, output: Output): Promise<number> {
  const targets = new Targets(flags.target ?? []);
  const address = parseAddress(flags.listen);
  requireLoopback([address], flags.dangerouslyPlainNetwork);
  const { loadCredentials } = await import('@knsock/core');
  const files = await credentialFiles(flags);
  let credentials = await loadCredentials(files);
  const log = new ServeLog(output);
  const listener = new PlainListener(
    (socket) => passOn(socket, targets, (target) => connectOptions(target, flags, credentials), log),
    flags.drainTimeout,
  );
  const place = await listener.listen(address);
  const words = targets.all.map(({ text }) => text).join(', ');
  log.event(
    'listening',
    place,
    `listening on ${showAddress(place)} in plain, passing on to ${words} over TLS`,
  );
  const reload = async (): Promise<void> => {
    credentials = await loadCredentials(files);
  };
  return runUntilSignal({ server: listener, log, reload });
}

async function passOn(
  socket: Socket,
  targets: Targets,
  optionsFor: (target: Target) => ConnectOptions,
  log: ServeLog,
): Promise<void> {
  const from = remoteOf(socket);
  try {
    const { connect, raw } = await import('@knsock/core');
    const connection = await targets.reach((target) => connect({ ...optionsFor(target), framing: raw() }));
    log.follow(connection);
    await bridge(socket, connection.stream());
  } catch (error) {
    log.failed(from, error);
    socket.destroy();
  }
}

function connectOptions(target: Target, flags: ProxyClientFlags, credentials: Credentials): ConnectOptions {
  const place = 'path' in target ? { path: target.path } : { host: target.host, port: target.port };
  return {
    ...place,
    credentials,
    servername: flags.servername,
    pins: flags.pin,
    profile: profileOf(flags),
    connectTimeout: flags.connectTimeout,
  };
}

const HELP = `
The server is verified as always. Examples:
  $ knsock proxy client --listen 127.0.0.1:5432 --target db.internal:5433 --cert app.crt --key app.key --ca ca.crt
  $ psql 'host=127.0.0.1 port=5432 sslmode=disable'`;
