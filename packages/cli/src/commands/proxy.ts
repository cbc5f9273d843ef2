/** `knsock proxy …`: one file per side that speaks TLS. */
import type { Command } from 'commander';
import { addGlobalOptions, configure } from '../manners.js';
import type { Output } from '../output.js';
import { defineProxyClient } from './proxy/client.js';
import { defineProxyServer } from './proxy/server.js';

export function defineProxy(command: Command, output: Output): void {
  defineProxyServer(addGlobalOptions(configure(command.command('server'))), output);
  defineProxyClient(addGlobalOptions(configure(command.command('client'))), output);
}
