/** Another program that serves, for as long as a test needs it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { toolPath } from './tools.js';

export interface Program extends AsyncDisposable {
  readonly port: number;
}

const handedOut = new Set<number>();

/** A port that nobody has now; never one that was handed out before, which may be about to be used. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  if (handedOut.has(port)) return freePort();
  handedOut.add(port);
  return port;
}

/** Starts a program that listens on a free port, which `args` puts among its arguments. */
export async function startProgram(
  name: string,
  args: (port: number) => readonly string[] | Promise<readonly string[]>,
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const port = await freePort();
  const child = spawn(toolPath(name) ?? name, await args(port), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  await untilListening(port, child, () => `${name} ended: ${said}`);
  return { port, [Symbol.asyncDispose]: () => end(child) };
}

async function untilListening(port: number, child: ChildProcess, why: () => string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await answers(port))) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline)
      throw new Error(why());
    await wait(20);
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => {
      resolve(false);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
  await ended;
  clearTimeout(timer);
}
