/** The measured process for what serves nobody: pools, requests, messages, certificates, commands. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createAuthority, type Authority } from '@knsock/certs';
import { answer } from '../answering.js';
import { repeat } from '../repeat.js';
import { enrolling, fleet, renewing, serve, signing } from './enrolment.js';
import { message, type MessageOptions } from './messages.js';
import { cycle, type CycleOptions } from './pool-cycles.js';
import { request, type RequestOptions } from './requests.js';

const run = promisify(execFile);
let authority: Promise<Authority> | undefined;

answer({
  cycle: (options: CycleOptions) => cycle(options),
  request: (options: RequestOptions) => request(options),
  message: (options: MessageOptions) => message(options),
  /** Issues certificates, each with a key of its own. */
  issue: async ({ ms }: { ms: number }) => {
    const issuer = await (authority ??= createAuthority({ commonName: 'Root' }));
    return repeat(ms, () => issuer.issue({ kind: 'server', names: ['localhost', '127.0.0.1'] }));
  },
  serveAuthority: serve,
  signing,
  fleet,
  enrolling,
  renewing,
  /** Runs a command again and again. */
  command: ({ command, folder, ms }: { command: readonly string[]; folder?: string; ms: number }) => {
    const [file = '', ...args] = command;
    return repeat(ms, () => run(file, args, { cwd: folder }));
  },
});
