/**
 * A server as a process of its own: echoes requests, ends on SIGTERM by draining, and answers what its parent asks.
 * Its arguments are a folder with `server.crt` and `server.key`, and options as JSON: those of `serve`, `remember` (keep
 * what was answered) and `workMs` (how long an answer takes).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCredentials, serve } from '@knsock/core';
import { processState, type ProcessState } from './process-state.js';

export interface ServerReport extends ProcessState {
  readonly stats: Record<string, unknown> & { readonly refusedSockets: Record<string, number> };
  /** Payloads that were answered, in their order, where `remember` is set. */
  readonly handled: readonly string[];
}

interface Options {
  readonly remember?: boolean;
  readonly workMs?: number;
}

const [folder = '', json = '{}'] = process.argv.slice(2);
const { remember = false, workMs = 0, ...options } = JSON.parse(json) as Options;
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const credentials = createCredentials({
  cert: read('server.crt'),
  key: read('server.key'),
  ...('clientCertificates' in options && { ca: read('ca.crt') }),
});
const handled: string[] = [];

const server = await serve({ port: 0, host: '127.0.0.1', credentials, ...options }, async ({ payload }) => {
  if (workMs > 0) await new Promise((resolve) => setTimeout(resolve, workMs));
  if (remember) handled.push(String(payload));
  return payload;
});

process.on('message', () => {
  process.send?.(report());
});
process.on('SIGTERM', () => {
  void server.close().then(() => {
    process.send?.(report(), () => {
      process.disconnect();
    });
  });
});
process.send?.({ port: 'port' in server.address ? server.address.port : 0 });

function report(): ServerReport {
  return { ...processState(), stats: { ...server.stats() }, handled };
}
