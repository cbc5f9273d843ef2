/** The flags that protect a server from its clients. */
import { Option, type Command } from 'commander';
import { append, bytes, count, milliseconds } from '../options.js';

/** Limits of connections, for any framing. */
/** @param maxConnections the default of --max-connections, in words */
export function addListenerOptions(command: Command, maxConnections = '10000'): void {
  command
    .addOption(handshakeTimeoutOption())
    .addOption(idleTimeoutOption())
    .option('--max-lifetime <ms>', 'close connections after this time, ±10 % (default: never)', milliseconds)
    .option(
      '--drain-timeout <ms>',
      'time for work in flight to finish on shutdown (default: 15000)',
      milliseconds,
    )
    .option('--max-connections <n>', `maximum number of connections (default: ${maxConnections})`, count)
    .addOption(perAddressOption())
    .option('--accept-rate <n>', 'maximum number of new connections per second (default: unlimited)', count)
    .option('--allow-from <network>', 'admit only clients from this address or network (repeatable)', append)
    .option('--deny-from <network>', 'refuse clients from this address or network (repeatable)', append)
    .addOption(proxyProtocolOption());
}

export function proxyProtocolOption(): Option {
  const summary = 'accept the PROXY protocol from this address or network (repeatable)';
  return new Option('--proxy-protocol-from <network>', summary).argParser(append);
}

export function handshakeTimeoutOption(): Option {
  const summary = 'time from accept to authorized (default: 5000)';
  return new Option('--handshake-timeout <ms>', summary).argParser(milliseconds);
}

export function idleTimeoutOption(): Option {
  const summary = 'close connections without traffic for this time (default: never)';
  return new Option('--idle-timeout <ms>', summary).argParser(milliseconds);
}

export function perAddressOption(): Option {
  const summary = 'maximum number of connections per client address (default: unlimited)';
  return new Option('--max-connections-per-address <n>', summary).argParser(count);
}

/** Limits of messages. */
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
