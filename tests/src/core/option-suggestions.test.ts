/** What is suggested for an option that doesn't exist is an option that the same function takes. */
import {
  connect,
  createCredentials,
  listen,
  loadCredentials,
  raw,
  serve,
  watchCredentials,
} from '@knsock/core';
import { SecureAgent, serveHttp, undiciConnector } from '@knsock/core/http';
import { sendSslTcpMessage, startSslTcpServer } from '@knsock/core/kn-sock';
import { createAuthority } from '@knsock/certs';
import { ConnectionPool, Pool } from '@knsock/pool';
import { TCPConnectionPool } from '@knsock/pool/kn-sock';
import { describe, expect, it } from 'vitest';
import { connectOptions } from '../../../packages/core/src/client/config.js';
import { agentOptions } from '../../../packages/core/src/http/https-agent.js';
import { httpOptions } from '../../../packages/core/src/http/config.js';
import { foreign } from '../../../packages/core/src/options/suggestion.js';
import { listenOptions } from '../../../packages/core/src/server/config.js';
import { poolLimitOptions } from '../../../packages/pool/src/pool/config.js';

const nothing = (): undefined => undefined;
const endpoints = [{ host: 'localhost', port: 1 }];

/** Each is called with one option that doesn't exist, or is wrong: none of them gets to do anything. */
const functions: Readonly<Record<string, (options: object) => unknown>> = {
  listen: (options) => listen(options as never, nothing),
  serve: (options) => serve(options as never, () => ''),
  connect: (options) => connect(options),
  serveHttp: (options) => serveHttp(options as never, nothing),
  SecureAgent: (options) => new SecureAgent(options),
  undiciConnector: (options) => undiciConnector(options),
  ConnectionPool: (options) => new ConnectionPool({ endpoints, ...options }),
  Pool: (options) => new Pool({ create: nothing, ...options }),
  TCPConnectionPool: (options) => new TCPConnectionPool('localhost', 1, options),
  createCredentials: (options) => createCredentials(options),
  loadCredentials: (options) => loadCredentials(options),
  watchCredentials: (options) => watchCredentials({}, options),
  raw: (options) => raw(options),
  startSslTcpServer: (options) => startSslTcpServer(1, nothing, options),
  sendSslTcpMessage: (options) => sendSslTcpMessage('localhost', 1, '', options),
  createAuthority: (options) => createAuthority({ commonName: 'x', ...options }),
};

/** Names of other libraries, and ours with a letter missing. */
const wrongNames = [
  ...Object.keys(foreign),
  ...[connectOptions, listenOptions, httpOptions, agentOptions, poolLimitOptions]
    .flatMap((readers) => Object.keys(readers))
    .map((name) => name.slice(0, -1)),
];

async function refusalOf(call: (options: object) => unknown, option: string): Promise<string> {
  try {
    await call({ [option]: Symbol('odd') });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('an option that is suggested is one that is taken', () => {
  it.each(Object.keys(functions))('by %s', async (name) => {
    const call = functions[name] as (options: object) => unknown;
    const untaken: string[] = [];
    let unknown = 0;
    for (const wrong of new Set(wrongNames)) {
      const message = await refusalOf(call, wrong);
      if (message.startsWith('there is no option')) unknown += 1;
      const [, suggested] = /did you mean (\w+)\?/.exec(message) ?? [];
      if (suggested === undefined) continue;
      const refusal = await refusalOf(call, suggested);
      if (/there is no option|can't be set|has no meaning|isn't for a pool|undici's agent/.test(refusal))
        untaken.push(`${wrong}: ${suggested}`);
    }
    expect(unknown).toBeGreaterThan(0);
    expect(untaken).toEqual([]);
  });
});
