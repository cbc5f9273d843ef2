/** `knsock run-ssl-tcp-server`: kn-sock's command line, implemented with this library. */
import type { Command } from 'commander';
import type { ClientAddress, SslConnection } from '@knsock/core/kn-sock';
import { printable } from '@knsock/core/errors';
import { showAddress } from '../address.js';
import { port, host } from '../options.js';
import type { Output } from '../output.js';
import { runUntilSignal } from '../serving/lifecycle.js';
import { ServeLog } from '../serving/serve-log.js';
import { UsageError } from '../usage-error.js';

interface RunFlags {
  cafile?: string;
  requireClientCert?: boolean;
  host: string;
}

export function defineRunSslTcpServer(command: Command, output: Output): void {
  command
    .argument('<port>', 'port to listen on', port)
    .argument('<certfile>', "the server's certificate, PEM")
    .argument('<keyfile>', 'private key of the certificate (PEM)')
    .option('--cafile <file>', 'CA certificate used to verify clients (PEM)')
    .option('--require-client-cert', 'refuse clients without a certificate')
    .option('--host <address>', 'address to listen on', host, '0.0.0.0')
    .addHelpText('after', HELP)
    .action(async (portNumber: number, certFile: string, keyFile: string, flags: RunFlags) => {
      process.exitCode = await runServer(portNumber, certFile, keyFile, flags, output);
    });
}

async function runServer(
  portNumber: number,
  certfile: string,
  keyfile: string,
  { cafile, requireClientCert, host }: RunFlags,
  output: Output,
): Promise<number> {
  if (requireClientCert === true && cafile === undefined) throw withoutCa();
  const { loadCredentials } = await import('@knsock/core');
  const { startSslTcpServer } = await import('@knsock/core/kn-sock');
  const log = new ServeLog(output, 'run-ssl-tcp-server');
  const ended = log.watchFailures();
  const files = { certFile: certfile, keyFile: keyfile, caFile: cafile };
  const warn = log.credentialWarnings();
  warn(await loadCredentials(files));
  const options = { certfile, keyfile, cafile, requireClientCert, host };
  const server = await startSslTcpServer(
    portNumber,
    (data, from, connection) => echo(data, from, connection, output),
    options,
  );
  const reload = async (): Promise<void> => {
    const next = await loadCredentials(files);
    await server.rotate(next);
    warn(next);
  };
  const announce = (): void => {
    log.listening(server, 'echoing once per connection');
  };
  return runUntilSignal({ server, log, announce, reload }).finally(ended);
}

/** Behaves like kn-sock's handler: prints and echoes the first bytes, then ends the connection. */
async function echo(
  data: Buffer,
  addr: ClientAddress,
  connection: SslConnection,
  output: Output,
): Promise<void> {
  await connection.sendall(data);
  const from = showAddress(addr);
  if (output.manner.json) await output.record({ from, data: data.toString() });
  else await output.data(`Received from ${from}: ${printable(data.toString())}\n`);
}

function withoutCa(): UsageError {
  return new UsageError(
    '--require-client-cert says that clients must be certified, and not by whom',
    'Add --cafile ca.crt, the CA that certifies them.',
  );
}

const HELP = `
The first bytes of each connection are shown and echoed, then it is closed. See also knsock serve.

Examples:
  $ knsock run-ssl-tcp-server 8443 server.crt server.key
  $ knsock run-ssl-tcp-server 8443 server.crt server.key --cafile ca.crt --require-client-cert`;
