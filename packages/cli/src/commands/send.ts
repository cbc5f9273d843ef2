/** `knsock send` */
import { Option, type Command } from 'commander';
import type { ConnectOptions, Framing, SecureConnection } from '@knsock/core';
import { parseAddress } from '../address.js';
import {
  addCredentialOptions,
  addFramingOptions,
  addProfileOptions,
  append,
  bytes,
  count,
  credentialFiles,
  framingOf,
  milliseconds,
  profileOf,
  type CredentialFlags,
  type FramingFlags,
  type ProfileFlags,
} from '../options.js';
import type { Output } from '../output.js';
import { ask } from '../sending/ask.js';
import type { Cut } from '../sending/cut.js';
import { messages, type Source } from '../sending/message-source.js';
import { pipeBytes } from '../sending/pipe.js';
import { Replies } from '../sending/replies.js';
import { tell } from '../sending/tell.js';

interface SendFlags extends CredentialFlags, FramingFlags, ProfileFlags {
  file?: string[];
  chunk?: number;
  repeat: number;
  content: 'bytes' | 'json';
  reply: boolean;
  newline: boolean;
  wait?: number;
  timeout: number;
  connectTimeout?: number;
  servername?: string;
  pin?: string[];
  dangerouslySkipVerification?: boolean;
  verbose?: boolean;
}

export function defineSend(command: Command, output: Output): void {
  command
    .argument('<address>', 'host:port, [IPv6]:port or unix:/path')
    .argument('[message...]', 'the messages; - stands for standard input, as does none at all')
    .option('-f, --file <file>', 'send what is in a file (repeatable)', append)
    .option('--chunk <bytes>', 'cut standard input and files into messages of so many bytes', bytes)
    .option('--repeat <n>', 'send it all so many times', count, 1);
  addCredentialOptions(command);
  command
    .option(
      '--servername <name>',
      'the name to ask for, and to expect in the certificate (default: the host)',
    )
    .option('--pin <pin>', 'a key, sha256/…, that the server’s chain must have (repeatable)', append)
    .option(
      '--dangerously-skip-verification',
      'trust whoever answers: private from bystanders, and from nobody else',
    );
  addFramingOptions(command);
  command
    .addOption(
      new Option('--content <kind>', 'json: messages and replies must be JSON')
        .choices(['bytes', 'json'])
        .default('bytes'),
    )
    .option('--no-reply', 'don’t wait for replies; on knsock send messages instead of requests')
    .option('--wait <ms>', 'end after so much silence, however many replies came', milliseconds)
    .option('--timeout <ms>', 'how long a reply may take', milliseconds, 30_000)
    .option('--connect-timeout <ms>', 'how long connecting may take (default: 10000)', milliseconds)
    .option('--no-newline', 'print no line feed after a reply');
  addProfileOptions(command);
  command
    .option('-v, --verbose', 'show who answered and what was negotiated')
    .addHelpText('after', HELP)
    .action(async (address: string, words: string[], flags: SendFlags) => {
      await send(address, words, flags, output);
    });
}

async function send(address: string, words: string[], flags: SendFlags, output: Output): Promise<void> {
  const core = await import('@knsock/core');
  const base = await framingOf(flags.framing);
  const framing = flags.content === 'json' ? (core.json(base) as unknown as Framing) : base;
  if (flags.dangerouslySkipVerification === true) {
    output.warn('the server isn’t verified: anybody could be answering');
  }
  const credentials = await core.loadCredentials(await credentialFiles(flags));
  for (const { message } of credentials.warnings) output.warn(message);
  const connection = await core.connect({ ...connectOptions(address, flags), framing, credentials });
  if (flags.verbose === true) showFacts(connection, output);
  await exchange(connection, words, flags, framing, output);
}

async function exchange(
  connection: SecureConnection,
  words: string[],
  flags: SendFlags,
  framing: Framing,
  output: Output,
): Promise<void> {
  const files = flags.file ?? [];
  const streams = files.length > 0 || words.length === 0 || words.includes('-');
  const interactive = words.length + files.length === 0 && process.stdin.isTTY;
  if (interactive) output.say('Connected. Each line is a message; Ctrl-D ends.');
  const source = messages({ words, files, times: flags.repeat }, cutFor(flags, interactive));
  const replies = new Replies(output, flags.newline && linesFor(flags, streams && !interactive));
  const patience = { timeout: flags.timeout, wait: flags.reply ? flags.wait : 0 };
  try {
    if (flags.framing === 'raw' && streams && patience.wait === undefined) {
      await pipeBytes(connection, source, replies, flags.timeout);
    } else if (flags.framing === 'knsock' && flags.reply) {
      await ask(connection, parsed(source, framing), replies, {
        window: interactive ? 1 : 32,
        timeout: flags.timeout,
      });
    } else {
      await tell(connection, parsed(source, framing), replies, {
        ...patience,
        replyEach: flags.framing !== 'raw',
      });
    }
    await replies.end();
    await connection.close({ deadline: flags.reply ? 1_000 : flags.timeout });
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** With JSON what is sent must be JSON too: it is told before anything goes out. */
async function* parsed(source: Source, { parse }: Framing): AsyncIterable<Buffer> {
  for await (const message of source) {
    const payload = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    yield parse === undefined ? payload : parse(payload);
  }
}

function cutFor({ framing, chunk, maxMessage }: SendFlags, interactive: boolean): Cut {
  const limit = maxMessage ?? 1_048_576;
  if (chunk !== undefined) return { by: { bytes: chunk }, limit };
  if (framing === 'raw') return { by: 'piece', limit };
  return { by: framing === 'lines' || interactive ? 'line' : 'whole', limit };
}

/** Streams stay byte-exact; a reply to a message that was typed is shown on a line of its own. */
function linesFor({ framing }: SendFlags, streams: boolean): boolean {
  return framing === 'lines' || (framing !== 'raw' && !streams);
}

function connectOptions(address: string, flags: SendFlags): ConnectOptions {
  return {
    ...parseAddress(address),
    servername: flags.servername,
    pins: flags.pin,
    dangerouslySkipVerification: flags.dangerouslySkipVerification,
    profile: profileOf(flags),
    connectTimeout: flags.connectTimeout,
    requestTimeout: flags.timeout,
    maxMessageBytes: flags.maxMessage,
    resume: false,
  };
}

function showFacts({ peer, tls }: SecureConnection, output: Output): void {
  const { dim } = output.colors;
  output.say(`${dim('server:')}  ${peer?.subject ?? '(not verified)'}`);
  if (peer !== null) {
    output.say(`${dim('issuer:')}  ${peer.issuer}`);
    output.say(`${dim('valid:')}   until ${peer.validTo.toISOString()}`);
    output.say(`${dim('pin:')}     ${peer.spkiPin}`);
  }
  const details = [tls.version, tls.cipher, tls.group, tls.alpn].filter((detail) => detail !== null);
  output.say(`${dim('tls:')}     ${details.join(', ')}`);
}

const HELP = `
On the knsock framing each message is a request, and its answer is printed. On the others messages are sent and
what comes back is printed, until the server ends, or 250 ms after the last reply that was expected (one for each
message; on raw, any). A reply that is missing for --timeout is an error; --wait MS ends after that silence instead.

Standard input and files are one message (knsock, length-prefixed), a message a line (lines), or a stream of bytes
whose end is told to the server (raw); replies to them are printed byte by byte as they came.

Examples:
  $ knsock send localhost:8443 hello --ca ca.crt
  $ knsock send db.internal:8443 --cert client.crt --key client.key --ca ca.crt < request.json
  $ knsock send localhost:8443 --framing raw --ca ca.crt < big.bin > copy.bin
  $ knsock send example.com:443 --framing raw $'GET / HTTP/1.0\\r\\nHost: example.com\\r\\n\\r\\n'`;
