/** Runs `knsock send` with parsed arguments. */
import { connect, loadCredentials, type ConnectOptions, type SecureConnection } from '@knsock/core';
import type { Framing } from '@knsock/core/framing';
import { parseAddress } from '../address.js';
import { framingOf } from '../framings.js';
import { credentialFiles, profileOf } from '../options.js';
import type { Output } from '../output.js';
import { followLists } from '../revocation-lists.js';
import { requireReadable } from '../unreadable.js';
import { UsageError } from '../usage-error.js';
import { sendRequests } from './send-requests.js';
import { showFacts } from './facts.js';
import type { SendFlags } from './flags.js';
import { inputOf, requestOf, type Input } from './input.js';
import type { Source, SourceRequest } from './message-source.js';
import { pipeBytes } from './pipe.js';
import { Replies } from './replies.js';
import { sendMessages, sendWithoutReplies } from './send-messages.js';

export async function send(
  address: string,
  words: string[],
  flags: SendFlags,
  output: Output,
): Promise<void> {
  const request = requestOf(words, flags);
  for (const file of request.files) await requireReadable(file);
  const framing = framingOf(flags);
  requireName(address, flags);
  if (flags.dangerouslySkipVerification === true) {
    output.warn("the server isn't verified: an attacker could be answering");
  }
  const credentials = await loadCredentials(await credentialFiles(flags));
  for (const { message } of credentials.warnings) output.warn(message);
  const revocation = await followLists(flags, ({ message }) => {
    output.warn(message);
  });
  try {
    const options = { ...connectOptions(address, flags), framing, credentials, revocation };
    const connection = await connect(options);
    if (flags.verbose === true) await showFacts(connection, output);
    await exchange(connection, request, flags, framing, output);
  } finally {
    revocation?.close();
  }
}

async function exchange(
  connection: SecureConnection,
  request: SourceRequest,
  flags: SendFlags,
  framing: Framing,
  output: Output,
): Promise<void> {
  const input = inputOf(request, flags, output);
  const replies = new Replies(output, {
    lineEach: flags.newline && linesFor(flags, input),
    foreground: input.foreground,
    atOnce: input.typed,
  });
  const replyTimeout = { timeout: flags.timeout, wait: flags.wait };
  const each = (): AsyncIterable<readonly Buffer[]> => parsed(input.source, framing);
  try {
    if (!flags.reply) await sendWithoutReplies(connection, each());
    else if (flags.framing === 'raw' && input.streams && replyTimeout.wait === undefined) {
      await pipeBytes(connection, input.source, replies, flags.timeout);
    } else if (flags.framing === 'knsock') {
      await sendRequests(connection, each(), replies, {
        window: input.typed ? 1 : 32,
        timeout: flags.timeout,
      });
    } else {
      await sendMessages(connection, each(), replies, {
        ...replyTimeout,
        replyEach: flags.framing !== 'raw',
      });
    }
    input.foreground.end();
    await replies.end();
    await connection.close({ deadline: flags.reply ? 1_000 : flags.timeout });
  } catch (error) {
    // The server learns of the end, and isn't waited for long: its answer, if any, came too late.
    await connection.close({ deadline: PARTING_MS });
    await replies.flush().catch(() => undefined); // the failure of the exchange is more specific
    throw error;
  } finally {
    input.foreground.end();
  }
}

/** How long an exchange that failed may take to end, in ms. */
const PARTING_MS = 500;

/** With the JSON framing messages must be valid JSON: checked before anything is sent. */
async function* parsed(source: Source, { parse }: Framing): AsyncIterable<readonly Buffer[]> {
  for await (const messages of source) {
    const payloads = messages.map(asBuffer);
    yield parse === undefined ? payloads : payloads.map(parse);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Streams stay byte-exact; a reply to a typed message is printed on its own line. */
function linesFor({ framing }: SendFlags, { streams, typed }: Input): boolean {
  return framing === 'lines' || (framing !== 'raw' && (typed || !streams));
}

/** A socket path doesn't tell which name to verify. */
function requireName(address: string, { servername, dangerouslySkipVerification }: SendFlags): void {
  if (!('path' in parseAddress(address)) || servername !== undefined || dangerouslySkipVerification === true)
    return;
  const hint = "Say what name the server's certificate carries: --servername NAME.";
  throw new UsageError('a Unix socket has no name that the certificate could be checked for', hint);
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
