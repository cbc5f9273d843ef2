/** `knsock send` */
import type { Command } from 'commander';
import {
  addContentOption,
  addCredentialOptions,
  addFramingOptions,
  addProfileOptions,
  append,
  bytes,
  count,
  milliseconds,
  addServerOptions,
} from '../options.js';
import type { Output } from '../output.js';
import type { SendFlags } from '../sending/flags.js';

export function defineSend(command: Command, output: Output): void {
  command
    .argument('<address>', 'host:port, [IPv6]:port or unix:/path')
    .argument('[message...]', 'messages; - or no argument reads standard input')
    .option('-f, --file <file>', 'send the content of this file (repeatable)', append)
    .option('--chunk <bytes>', 'split standard input and files into messages of this size', bytes)
    .option('--repeat <n>', 'send all messages this many times', count, 1);
  addCredentialOptions(command);
  addServerOptions(command).option('--dangerously-skip-verification', "don't verify the server (insecure)");
  addFramingOptions(command);
  addContentOption(command, 'json: messages and replies must be valid JSON');
  command
    .option('--no-reply', "don't wait for replies; with knsock framing, send messages instead of requests")
    .option('--wait <ms>', 'exit after this long without a reply, however many arrived', milliseconds)
    .option('--timeout <ms>', 'timeout for a reply', milliseconds, 30_000)
    .option('--connect-timeout <ms>', 'timeout for connecting (default: 10000)', milliseconds)
    .option('--no-newline', "don't print a line feed after each reply");
  addProfileOptions(command);
  command
    .option('-v, --verbose', "show the peer's identity and the TLS parameters")
    .addHelpText('after', HELP)
    .action(async (address: string, words: string[], flags: SendFlags) => {
      const { send } = await import('../sending/send.js');
      await send(address, words, flags, output);
    });
}

const HELP = `
With knsock framing each message is a request, and its answer is printed. With the other framings messages are sent and
all replies are printed, until the server ends, or 250 ms after the last expected reply (one for each message; with raw,
any). A reply that is missing for --timeout is an error, and so is a server that ends without a reply for each message
(except with raw); --wait MS exits after that time without a reply instead.

Standard input and files are one message (knsock, length-prefixed), a message a line (lines), or a stream of bytes
whose end is sent to the server (raw); replies to them are printed unchanged.

Examples:
  $ knsock send localhost:8443 hello --ca ca.crt
  $ knsock send db.internal:8443 --cert client.crt --key client.key --ca ca.crt < request.json
  $ knsock send localhost:8443 --framing raw --ca ca.crt < big.bin > copy.bin
  $ knsock send example.com:443 --framing raw $'GET / HTTP/1.0\\r\\nHost: example.com\\r\\n\\r\\n'`;
