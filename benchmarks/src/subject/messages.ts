/** One message and its reply by the names of kn-sock: connect, send, take the reply, end. */
import { sendSslTcpMessage, sendSslTcpMessageSync } from '@knsock/core/kn-sock';
import type { Certificates } from '../certificates.js';
import { SERVER_NAME } from '../certificates.js';

export interface MessageOptions {
  readonly files: Certificates;
  readonly port: number;
  readonly way: 'asynchronous' | 'blocking' | 'blocking, connection kept';
  readonly ms: number;
}

const MESSAGE = 'x'.repeat(32);

export async function message({
  files,
  port,
  way,
  ms,
}: MessageOptions): Promise<{ operations: number; wallMs: number }> {
  const options = { cafile: files.ca, until: { bytes: MESSAGE.length } };
  const keep = way === 'blocking, connection kept';
  const started = performance.now();
  let operations = 0;
  do {
    if (way === 'asynchronous') await sendSslTcpMessage(SERVER_NAME, port, MESSAGE, options);
    else sendSslTcpMessageSync(SERVER_NAME, port, MESSAGE, { ...options, keep });
    operations += 1;
  } while (performance.now() - started < ms);
  return { operations, wallMs: performance.now() - started };
}
