/** What `knsock send` does once its arguments are read. */
import { connect, loadCredentials, type ConnectOptions, type SecureConnection } from '@knsock/core';
import type { Framing } from '@knsock/core/framing';
import { parseAddress } from '../address.js';
import { framingOf } from '../framings.js';
import { credentialFiles, profileOf } from '../options.js';
import type { Output } from '../output.js';
import { ask } from './ask.js';
import type { Cut } from './cut.js';
import type { SendFlags } from './flags.js';
import { messages, type Source } from './message-source.js';
import { pipeBytes } from './pipe.js';
import { Replies } from './replies.js';
import { tell } from './tell.js';

export async function send(
  address: string,
  words: string[],
  flags: SendFlags,
  output: Output,
): Promise<void> {
  const framing = framingOf(flags);
  if (flags.dangerouslySkipVerification === true) {
    output.warn('the server isn’t verified: anybody could be answering');
  }
  const credentials = await loadCredentials(await credentialFiles(flags));
  for (const { message } of credentials.warnings) output.warn(message);
  const connection = await connect({ ...connectOptions(address, flags), framing, credentials });
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
