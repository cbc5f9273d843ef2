/** Options of both sides of `knsock proxy`. */
import { Option, type Command } from 'commander';
import { idleTimeoutOption, proxyProtocolOption } from '../../serving/limit-options.js';
import { count, milliseconds, statusOption } from '../../options.js';

export interface SharedProxyFlags {
  listen: string;
  target?: string[];
  postgres?: boolean;
  proxyProtocolFrom?: string[];
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
    .addOption(proxyProtocolOption())
    .addOption(
      new Option(
        '--send-proxy [version]',
        "send the client's address to the target with the PROXY protocol (default: version 2)",
      ).choices(['1', '2']),
    );
}

export function addLifeOptions(command: Command): void {
  command
    .option('--connect-timeout <ms>', 'timeout for connecting to a target', milliseconds, 10_000)
    .addOption(idleTimeoutOption())
    .option('--drain-timeout <ms>', 'time for open connections to end on shutdown', milliseconds, 15_000)
    .option('--max-connections <n>', 'maximum number of connections', count, 10_000)
    .addOption(statusOption());
}

/** The version of the PROXY header to send; null: none. */
export function headerVersion({ sendProxy }: SharedProxyFlags): 1 | 2 | null {
  if (sendProxy === undefined) return null;
  return sendProxy === '1' ? 1 : 2;
}
