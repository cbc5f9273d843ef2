/** A case of an exam through each of the ways by which a program or a person asks whether to trust. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { verifyChain } from '@knsock/certs';
import { vi } from 'vitest';
import { Output } from '../../../packages/cli/src/output.js';
import { buildProgram } from '../../../packages/cli/src/program.js';
import { judgeCase, namesOf, type LimboCase } from '../x509/limbo.js';

/** Whether a case is accepted. */
export type Entrance = (one: LimboCase) => Promise<boolean>;

interface NamedEntrance {
  readonly answer: Entrance;
  /** Whether it can be given which certificate policies the path must hold. */
  readonly takesPolicies: boolean;
}

export const entrances = {
  verifyPath: { answer: (one) => Promise.resolve(judgeCase(one, 'private').ok), takesPolicies: true },
  verifyChain: { answer: byVerifyChain, takesPolicies: true },
  'certs verify': { answer: byCertsVerify, takesPolicies: false },
  check: { answer: byCheck, takesPolicies: false },
} as const satisfies Readonly<Record<string, NamedEntrance>>;

async function byVerifyChain(one: LimboCase): Promise<boolean> {
  return everyName(one, async (name) => {
    const options = {
      chain: [one.peer_certificate, ...one.untrusted_intermediates].join('\n'),
      ca: one.trusted_certs,
      crls: one.crls,
      at: one.validation_time === null ? undefined : new Date(one.validation_time),
      usage: usageOf(one),
      revocation: one.revocation,
      policies: one.policies,
      name,
    } as const;
    return await verifyChain(options).then(({ ok }) => ok, refusesUnreadable);
  });
}

async function byCertsVerify(one: LimboCase): Promise<boolean> {
  return withFiles(one, (files) =>
    everyName(one, async (name) => {
      const args = ['certs', 'verify', files.chain, '--ca', files.ca, '--usage', usageOf(one)];
      if (files.crl !== null) args.push('--crl', files.crl, ...depthOf(one));
      return (await runAt(one, [...args, ...(name === undefined ? [] : ['--name', name])])).code === 0;
    }),
  );
}

/** It takes neither a name nor a purpose, and what it finds besides (the order of a chain) isn't about trust. */
async function byCheck(one: LimboCase): Promise<boolean> {
  return withFiles(one, async ({ chain, ca, crl }) => {
    const lists = crl === null ? [] : [crl];
    const { code, text } = await runAt(one, [
      'check',
      chain,
      ...lists,
      '--ca',
      ca,
      '--json',
      ...depthOf(one),
    ]);
    return code !== 1 && !/"rule":"(verification|readable)"/.test(text);
  });
}

/** Keeps what the command prints. */
class KeptOutput extends Output {
  text = '';
  override data(bytes: string | Uint8Array): Promise<void> {
    this.text += String(bytes);
    return Promise.resolve();
  }
  override tell(): void {
    // Words for people decide nothing.
  }
}

/** Runs a command here, at the time of the case: a process for each of them would take minutes. */
async function runAt(
  { validation_time: time }: LimboCase,
  args: readonly string[],
): Promise<{ code: number; text: string }> {
  const before = process.exitCode;
  process.exitCode = undefined;
  if (time !== null) vi.useFakeTimers({ toFake: ['Date'], now: new Date(time) });
  const output = new KeptOutput({ quiet: true, json: true, debug: false });
  try {
    await (await buildProgram(args, output)).parseAsync(args, { from: 'user' });
    return { code: process.exitCode ?? 0, text: output.text };
  } catch (error) {
    refusesUnreadable(error);
    return { code: 1, text: output.text };
  } finally {
    vi.useRealTimers();
    process.exitCode = before;
  }
}

/** What can't be read is refused by an error; any other error is a fault of ours or of the exam. */
function refusesUnreadable(error: unknown): false {
  const { code } = error as { code?: unknown };
  if (/^KNSOCK_(CERTIFICATE|CREDENTIALS|MALFORMED)/.test(String(code))) return false;
  throw error;
}

async function withFiles(
  one: LimboCase,
  judge: (files: { chain: string; ca: string; crl: string | null }) => Promise<boolean>,
): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), 'knsock-exam-'));
  try {
    const write = async (name: string, pems: readonly string[]): Promise<string> => {
      const file = path.join(folder, name);
      await writeFile(file, pems.join('\n'));
      return file;
    };
    return await judge({
      chain: await write('peer.pem', [one.peer_certificate, ...one.untrusted_intermediates]),
      ca: await write('ca.pem', one.trusted_certs),
      crl: one.crls.length === 0 ? null : await write('lists.pem', one.crls),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function everyName(
  one: LimboCase,
  judge: (name: string | undefined) => Promise<boolean>,
): Promise<boolean> {
  const names = namesOf(one);
  for (const name of names.length > 0 ? names : [undefined]) if (!(await judge(name))) return false;
  return true;
}

const depthOf = ({ revocation }: LimboCase): string[] =>
  revocation?.depth === undefined ? [] : ['--revocation-depth', revocation.depth];

const usageOf = ({ validation_kind: kind }: LimboCase) => (kind === 'SERVER' ? 'server' : 'client');
