/** `knsock proxy …`: one file per side that speaks TLS. */
import type { Command } from 'commander';
import { addGlobalOptions, configure } from '../global-options.js';
import type { Output } from '../output.js';
import { defineProxyClient } from './proxy/client.js';
import { defineProxyServer } from './proxy/server.js';

export function defineProxy(command: Command, output: Output): void {
  defineProxyServer(addGlobalOptions(configure(command.command('server'))), output);
  defineProxyClient(addGlobalOptions(configure(command.command('client'))), output);
  command.addHelpText('after', HELP);
}

const HELP = `
The server mode accepts TLS and forwards to a plain server; the client mode accepts plain connections and forwards them
over TLS.

Examples:
  $ knsock proxy server --listen :5433 --target 127.0.0.1:5432 --cert db.crt --key db.key --ca ca.crt --allow-cn app
  $ knsock proxy client --listen 127.0.0.1:5432 --target db:5433 --cert app.crt --key app.key --ca ca.crt`;
