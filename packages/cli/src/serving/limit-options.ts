/** The flags that limit what clients can do to a server. */
import type { Command } from 'commander';
import { append, bytes, count, milliseconds } from '../options.js';

/** Of connections, whatever they carry. */
export function addListenerOptions(command: Command): void {
  command
    .option('--handshake-timeout <ms>', 'time from accept to authorized (default: 5000)', milliseconds)
    .option(
      '--idle-timeout <ms>',
      'close connections without traffic for this time (default: never)',
      milliseconds,
    )
    .option('--max-lifetime <ms>', 'close connections after this time, ±10 % (default: never)', milliseconds)
    .option(
      '--drain-timeout <ms>',
      'time for work in flight to finish on shutdown (default: 15000)',
      milliseconds,
    )
    .option('--max-connections <n>', 'maximum number of connections (default: 10000; with --exec 100)', count)
    .option(
      '--max-connections-per-address <n>',
      'maximum number of connections per client address (default: unlimited)',
      count,
    )
    .option('--accept-rate <n>', 'maximum number of new connections per second (default: unlimited)', count)
    .option('--allow-from <network>', 'admit only clients from this address or network (repeatable)', append)
    .option('--deny-from <network>', 'refuse clients from this address or network (repeatable)', append)
    .option(
      '--proxy-protocol-from <network>',
      'accept the PROXY protocol from these addresses or networks (repeatable)',
      append,
    );
}

/** Of messages. */
export function addLimitOptions(command: Command): void {
  command
    .option(
      '--first-message-timeout <ms>',
      'close connections that send no message within this time (default: never)',
      milliseconds,
    )
    .option(
      '--max-queued <bytes>',
      'maximum number of bytes queued for one slow reader (default: 4MiB)',
      bytes,
    )
    .option('--max-requests <n>', 'maximum number of concurrent requests per client (default: 128)', count);
}
