/** `knsock send-ssl-tcp`: kn-sock's command line, on this library. */
import type { Command } from 'commander';
import { milliseconds, port } from '../options.js';
import type { Output } from '../output.js';
import { Replies } from '../sending/replies.js';
import { tell } from '../sending/tell.js';

interface SendSslTcpFlags {
  cafile?: string;
  certfile?: string;
  keyfile?: string;
  verify: boolean;
  timeout: number;
}

export function defineSendSslTcp(command: Command, output: Output): void {
  command
    .argument('<host>', 'the server’s name or address')
    .argument('<port>', 'its port', port)
    .argument('<message>', 'what to send')
    .option('--cafile <file>', 'the CA that the server is certified by, PEM')
    .option('--certfile <file>', 'our certificate, PEM')
    .option('--keyfile <file>', 'its private key, PEM')
    .option('--no-verify', 'trust whoever answers: private from bystanders, and from nobody else')
    .option('--timeout <ms>', 'how long the reply may take', milliseconds, 10_000)
    .addHelpText('after', HELP)
    .action(async (host: string, portNumber: number, message: string, flags: SendSslTcpFlags) => {
      await sendMessage(host, portNumber, message, flags, output);
    });
}

async function sendMessage(
  host: string,
  portNumber: number,
  message: string,
  flags: SendSslTcpFlags,
  output: Output,
): Promise<void> {
  const { connect, loadCredentials, raw } = await import('@knsock/core');
  if (!flags.verify) output.warn('the server isn’t verified: anybody could be answering');
  const { cafile: caFile, certfile: certFile, keyfile: keyFile, timeout } = flags;
  const connection = await connect({
    host,
    port: portNumber,
    framing: raw(),
    credentials: await loadCredentials({ caFile, certFile, keyFile }),
    dangerouslySkipVerification: !flags.verify,
    resume: false,
  });
  const replies = new Replies(output, false);
  await tell(connection, once(Buffer.from(message)), replies, { timeout, wait: undefined, replyEach: false });
  await replies.end();
  await connection.close({ deadline: 1_000 });
}

async function* once<Message>(message: Message): AsyncIterable<Message> {
  yield await Promise.resolve(message);
}

const HELP = `
The reply is what comes until the server ends, or until 250 ms of silence. knsock send does more.

Examples:
  $ knsock send-ssl-tcp localhost 8443 "Hello Secure" --cafile ca.crt
  $ knsock send-ssl-tcp localhost 8443 "Hello Secure" --cafile ca.crt --certfile client.crt --keyfile client.key`;
