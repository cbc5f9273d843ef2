/** `knsock run-ssl-tcp-server`: kn-sock's command line, on this library. */
import type { Command } from 'commander';
import type { SecureConnection } from '@knsock/core';
import { remoteOf } from '../address.js';
import { port } from '../options.js';
import type { Output } from '../output.js';
import { runUntilSignal } from '../serving/lifecycle.js';
import { ServeLog } from '../serving/serve-log.js';

interface RunFlags {
  cafile?: string;
  requireClientCert?: boolean;
  host: string;
}

export function defineRunSslTcpServer(command: Command, output: Output): void {
  command
    .argument('<port>', 'the port to listen on', port)
    .argument('<certfile>', 'the server’s certificate, PEM')
    .argument('<keyfile>', 'its private key, PEM')
    .option('--cafile <file>', 'the CA that clients are certified by, PEM')
    .option('--require-client-cert', 'refuse clients without a certificate')
    .option('--host <address>', 'the address to listen on', '0.0.0.0')
    .addHelpText('after', HELP)
    .action(async (portNumber: number, certFile: string, keyFile: string, flags: RunFlags) => {
      process.exitCode = await runServer(portNumber, certFile, keyFile, flags, output);
    });
}

async function runServer(
  portNumber: number,
  certFile: string,
  keyFile: string,
  { cafile, requireClientCert, host }: RunFlags,
  output: Output,
): Promise<number> {
  const { listen, loadCredentials, raw } = await import('@knsock/core');
  const load = () => loadCredentials({ certFile, keyFile, caFile: cafile });
  const log = new ServeLog(output);
  const ended = log.watchFailures();
  const clientCertificates =
    requireClientCert === true ? 'require' : cafile === undefined ? 'none' : 'request';
  const server = await listen(
    { port: portNumber, host, framing: raw(), credentials: await load(), clientCertificates },
    (connection) => echoOnce(connection, output),
  );
  log.listening(server, 'echoing once per connection');
  const reload = async (): Promise<void> => {
    await server.rotate(await load());
  };
  return runUntilSignal({ server, log, reload }).finally(ended);
}

/** What kn-sock's handler does: the first bytes are shown and echoed, then the connection ends. */
async function echoOnce(connection: SecureConnection, output: Output): Promise<void> {
  const from = remoteOf(connection.socket);
  const data = await connection.receive();
  if (data !== null) {
    await connection.send(data);
    if (output.manner.json) await output.record({ from, data: data.toString() });
    else await output.data(`Received from ${from}: ${data.toString()}\n`);
  }
  void connection.close();
}

const HELP = `
The first bytes of each connection are shown and echoed, then it ends. knsock serve does more.

Examples:
  $ knsock run-ssl-tcp-server 8443 server.crt server.key
  $ knsock run-ssl-tcp-server 8443 server.crt server.key --cafile ca.crt --require-client-cert`;
