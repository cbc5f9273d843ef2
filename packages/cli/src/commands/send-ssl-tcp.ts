/** `knsock send-ssl-tcp`: kn-sock's command line, implemented with this library. */
import type { Command } from 'commander';
import { milliseconds, port } from '../options.js';
import type { Output } from '../output.js';
import { Replies } from '../sending/replies.js';

interface SendSslTcpFlags {
  cafile?: string;
  certfile?: string;
  keyfile?: string;
  verify: boolean;
  timeout: number;
}

export function defineSendSslTcp(command: Command, output: Output): void {
  command
    .argument('<host>', "the server's name or address")
    .argument('<port>', 'its port', port)
    .argument('<message>', 'what to send')
    .option('--cafile <file>', "CA certificate used to verify the server (PEM) (default: Node's own roots)")
    .option('--certfile <file>', 'own certificate (PEM)')
    .option('--keyfile <file>', 'private key of the certificate (PEM)')
    .option('--no-verify', "don't verify the server (insecure)")
    .option('--timeout <ms>', 'timeout for the whole command', milliseconds, 10_000)
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
  const { loadCredentials, ReplyTimeoutError } = await import('@knsock/core');
  const { sendSslTcpMessage } = await import('@knsock/core/kn-sock');
  if (!flags.verify) output.warn("the server isn't verified: an attacker could be answering");
  const { cafile, certfile, keyfile, verify, timeout } = flags;
  const own = await loadCredentials({ caFile: cafile, certFile: certfile, keyFile: keyfile });
  for (const { message } of own.warnings) output.warn(message);
  const replies = new Replies(output, { lineEach: false });
  try {
    const options = { cafile, certfile, keyfile, verify, timeout };
    const reply = await sendSslTcpMessage(host, portNumber, message, options);
    if (reply.length > 0) await replies.print(reply);
  } catch (error) {
    if (error instanceof ReplyTimeoutError && error.received.length > 0) await replies.print(error.received);
    throw error;
  } finally {
    await replies.end();
  }
}

const HELP = `
The reply is everything received until the server ends or sends nothing for 250 ms. See also knsock send.

Examples:
  $ knsock send-ssl-tcp localhost 8443 "Hello Secure" --cafile ca.crt
  $ knsock send-ssl-tcp localhost 8443 "Hello Secure" --cafile ca.crt --certfile client.crt --keyfile client.key`;
