// Why the options under kn-sock's names have the defaults that they have: a table of docs/defaults.md.
import { sslMessageOptions } from '../../../../packages/core/src/facade/ssl-message-options.js';
import { sslServerOptions } from '../../../../packages/core/src/facade/ssl-server-options.js';
import { tcpPoolOptions } from '../../../../packages/pool/src/facade/facade.js';
import { optionOf, optionTable, rowsOf } from './option-rows.js';

const files = {
  cafile: ['none', 'PEM: the CA that the other side must be certified by'],
  certfile: ['none', 'PEM: our certificate'],
  keyfile: ['none', 'PEM: its key'],
} as const;

/** The generated part of docs/defaults.md. */
export const knSockTables: Readonly<Record<string, string>> = {
  'kn-sock': optionTable([
    ...rowsOf(
      sslServerOptions,
      {
        ...files,
        requireClientCert: "as kn-sock's",
        host: "as kn-sock's: every IPv4 address of this machine",
        sslContext: ['none', "Node's options for a context, instead of the three files"],
        keepOpen: [
          'false in `startSslTcpServer`, true in `startAsyncSslTcpServer`',
          "as kn-sock's: whether the connection goes on after the first data",
        ],
        onError: ['a process warning', 'as for `listen`'],
        signal: ['none', 'closes the server when it fires'],
      },
      optionOf('startSslTcpServer'),
    ),
    ...rowsOf(
      sslMessageOptions,
      {
        ...files,
        verify: "a server that isn't verified may be anyone",
        timeout: 'from the start to the end of the reply',
        until: ['`{ quiet: 250 }`', "raw bytes don't say where a reply ends; silence is the best guess"],
        maxReplyBytes: 'a reply is kept in memory',
        signal: ['none', 'gives up when it fires'],
      },
      optionOf('sendSslTcpMessage'),
    ),
    ...rowsOf(
      tcpPoolOptions,
      {
        maxSize: "as kn-sock's",
        idleTimeout: "kn-sock's 30 seconds; a value under 1,000 is refused as being in seconds",
        ssl: "kn-sock's was false: what is sent in plain text can be read on the way",
        ...files,
        verify: "a server that isn't verified may be anyone",
        onError: ['a process warning', 'as for every pool'],
      },
      optionOf('TCPConnectionPool'),
    ),
  ]),
};
