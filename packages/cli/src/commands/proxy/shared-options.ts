/** The options that both sides of `knsock proxy` have. */
import { Option, type Command } from 'commander';
import { append, count, milliseconds } from '../../options.js';

export interface SharedProxyFlags {
  listen: string;
  target?: string[];
  postgres?: boolean;
  acceptProxy?: string[];
  sendProxy?: '1' | '2' | true;
  dangerouslyPlainNetwork?: boolean;
  connectTimeout: number;
  idleTimeout?: number;
  drainTimeout: number;
  maxConnections: number;
  status?: string;
}

export function addProxyProtocolOptions(command: Command): void {
  command
    .option(
      '--accept-proxy <network>',
      'load balancers that tell the true client by the PROXY protocol (repeatable)',
      append,
    )
    .addOption(
      new Option(
        '--send-proxy [version]',
        'tell the target the true client by the PROXY protocol (default: version 2)',
      ).choices(['1', '2']),
    );
}

export function addLifeOptions(command: Command): void {
  command
    .option('--connect-timeout <ms>', 'how long reaching a target may take', milliseconds, 10_000)
    .option(
      '--idle-timeout <ms>',
      'end connections on which nothing moves for so long (default: never)',
      milliseconds,
    )
    .option('--drain-timeout <ms>', 'how long open connections may go on at the end', milliseconds, 15_000)
    .option('--max-connections <n>', 'the most connections at once', count, 10_000)
    .option('--status <address>', 'tell /health, /stats and /metrics there over plain HTTP');
}

/** The version of the PROXY header to send; null: none. */
export function headerVersion({ sendProxy }: SharedProxyFlags): 1 | 2 | null {
  if (sendProxy === undefined) return null;
  return sendProxy === '1' ? 1 : 2;
}
