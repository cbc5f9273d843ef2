/**
 * A server is replaced under load, again and again: SIGTERM drains it while the next one listens. A client that repeats
 * only what was provably not started loses no request and has none done twice.
 */
import { createServer, connect as connectTcp, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { connect, loadCredentials, type Credentials, type SecureConnection } from '@knsock/core';
import { expect, it } from 'vitest';
import { createCertificateFolder } from '../support/certificate-folder.js';
import { ServerProcess } from './program.js';
import { sizes } from './sizes.js';

const CLIENTS = 4;
const REQUESTS_BETWEEN_RESTARTS = 300;

/** What a balancer is: connections go to the newest server, those that exist stay where they are. */
async function startBalancer(target: () => number): Promise<{ port: number; server: Server }> {
  const server = createServer((near) => {
    const far = connectTcp(target(), '127.0.0.1');
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server };
}

class PatientClient {
  answered = 0;
  readonly asked: string[] = [];
  readonly unsure: unknown[] = [];
  readonly #name: string;
  readonly #port: number;
  readonly #credentials: Credentials;
  #connection: SecureConnection | null = null;
  #repeated = 0;

  constructor(name: string, port: number, credentials: Credentials) {
    this.#name = name;
    this.#port = port;
    this.#credentials = credentials;
  }

  get repeated(): number {
    return this.#repeated;
  }

  /** Keeps several requests in flight until it is stopped. */
  async work(goesOn: () => boolean): Promise<void> {
    const lane = async (): Promise<void> => {
      while (goesOn()) await this.#ask(`${this.#name}-${this.asked.push('')}`);
    };
    await Promise.all(Array.from({ length: 4 }, lane));
    await this.#connection?.close();
  }

  async #ask(payload: string): Promise<void> {
    for (;;) {
      const connection = await this.#connected();
      try {
        expect(String(await connection.request(payload))).toBe(payload);
        this.answered += 1;
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== 'KNSOCK_REQUEST_NOT_STARTED') {
          this.unsure.push(error);
          return;
        }
        this.#repeated += 1;
      }
    }
  }

  /** Connecting may be repeated at will: nothing was asked yet. */
  async #connected(): Promise<SecureConnection> {
    for (;;) {
      if (this.#connection?.state === 'open') return this.#connection;
      try {
        const options = { host: '127.0.0.1', port: this.#port, credentials: this.#credentials };
        this.#opening ??= connect(options);
        this.#connection = await this.#opening;
      } catch (error) {
        expect(error).toMatchObject({ retryable: true });
      } finally {
        this.#opening = null;
      }
    }
  }
  #opening: Promise<SecureConnection> | null = null;
}

it('loses no request and does none twice, however often the server is replaced', async () => {
  await using folder = await createCertificateFolder();
  const credentials = await loadCredentials({ caFile: folder.at('ca.crt') });
  const start = () => ServerProcess.start(folder.path, { remember: true, workMs: 2 });
  let current = await start();
  const balancer = await startBalancer(() => current.port);
  const clients = Array.from({ length: CLIENTS }, (_, n) => {
    return new PatientClient(`client${n}`, balancer.port, credentials);
  });
  let goesOn = true;
  const work = Promise.all(clients.map((client) => client.work(() => goesOn)));
  const handled: string[] = [];
  for (let restart = 0; restart < sizes.restarts; restart++) {
    await answeredMore(clients);
    const previous = current;
    current = await start();
    handled.push(...(await previous.terminate()).handled);
  }
  await answeredMore(clients);
  goesOn = false;
  await work;
  handled.push(...(await current.terminate()).handled);
  balancer.server.close();

  const asked = clients.reduce((sum, client) => sum + client.asked.length, 0);
  expect(clients.flatMap(({ unsure }) => unsure)).toEqual([]);
  expect(clients.reduce((sum, client) => sum + client.answered, 0)).toBe(asked);
  expect(new Set(handled).size).toBe(asked);
  expect(handled).toHaveLength(asked);
  console.log(
    `${asked} requests over ${sizes.restarts} restarts, ${clients.reduce((sum, { repeated }) => sum + repeated, 0)} repeated`,
  );
}, 300_000);

/** Resolves when so many more were answered. */
async function answeredMore(clients: readonly PatientClient[]): Promise<void> {
  const total = (): number => clients.reduce((sum, client) => sum + client.answered, 0);
  const goal = total() + REQUESTS_BETWEEN_RESTARTS;
  while (total() < goal) await new Promise((resolve) => setImmediate(resolve));
}
