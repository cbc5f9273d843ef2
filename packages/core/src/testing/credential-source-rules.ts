/** The rules of `CredentialSource`, which servers, clients and pools rely on. */
import assert from 'node:assert/strict';
import { isCredentials, type Credentials } from '../credentials/credentials.js';
import type { CredentialSource } from '../credentials/source.js';
import { callback, checkOptions, having, type OptionReaders } from '../options/index.js';

/** A source with the means to try it. */
export interface CredentialSourceSubject {
  /** What is tested. */
  readonly source: CredentialSource;
  /** Has the source take other credentials; resolves once it has. */
  readonly change: () => Promise<unknown>;
  /** Ends the source; default: it needs no end. */
  readonly close?: (() => unknown) | undefined;
}

/** One rule of `CredentialSource`; `check` rejects if the source breaks it. */
export interface CredentialSourceRule {
  /** A sentence that makes a test's name. */
  readonly name: string;
  /** Rejects where the source breaks the rule. */
  readonly check: () => Promise<void>;
}

type Keeps = (subject: CredentialSourceSubject) => void | Promise<void>;

const rules: readonly (readonly [name: string, keeps: Keeps])[] = [
  ['has checked credentials from the beginning', hasCredentials],
  ['returns the same credentials until they change', keepsThem],
  ['passes the new credentials to every listener, after current has them', announces],
  ['calls a listener once for each change', callsOnce],
  ['stops calling a listener whose subscription has ended, and no other', stops],
  ['survives listeners that end subscriptions while they are called', survivesEnds],
  ['keeps a failing listener from the others', isolates],
  ['keeps its last credentials and calls nobody once it is closed', closes],
  ['answers no ACME validation of a name that it has none pending for', answersNone],
];

const readers: OptionReaders<CredentialSourceSubject> = {
  source: (option, value) => having(option, value, 'a CredentialSource', ['onChange']),
  change: callback,
  close: callback,
};

/**
 * The rules that every `CredentialSource` follows, to be run by any test runner:
 * `for (const rule of credentialSourceRules(make)) it(rule.name, rule.check);`
 * @param make makes a new source for each rule
 */
export function credentialSourceRules(
  make: () => CredentialSourceSubject | Promise<CredentialSourceSubject>,
): CredentialSourceRule[] {
  return rules.map(([name, keeps]) => ({
    name,
    check: async () => {
      const subject = await make();
      checkOptions(subject, readers);
      try {
        await keeps(subject);
      } finally {
        await subject.close?.();
      }
    },
  }));
}

/**
 * Runs all of `credentialSourceRules`.
 * @throws Error for the first rule broken; it names the rule, and its cause says how.
 */
export async function checkCredentialSource(
  make: () => CredentialSourceSubject | Promise<CredentialSourceSubject>,
): Promise<void> {
  for (const { name, check } of credentialSourceRules(make)) {
    try {
      await check();
    } catch (cause) {
      const how = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`the credential source breaks a rule (${name}): ${how}`, { cause });
    }
  }
}

function hasCredentials({ source }: CredentialSourceSubject): void {
  assert.ok(isCredentials(source.current), 'current must come from createCredentials or loadCredentials');
}

async function keepsThem({ source, change }: CredentialSourceSubject): Promise<void> {
  const before = source.current;
  assert.equal(source.current, before, 'current changed without a change');
  await change();
  assert.notEqual(source.current.version, before.version, 'current has the same version after a change');
}

async function announces({ source, change }: CredentialSourceSubject): Promise<void> {
  const heard: { next: Credentials; current: Credentials }[] = [];
  for (let listener = 0; listener < 2; listener += 1)
    source.onChange((next) => heard.push({ next, current: source.current }));
  await change();
  assert.equal(heard.length, 2, `${heard.length} of 2 listeners were called`);
  for (const { next, current } of heard) {
    assert.equal(current, next, 'current was not yet what the listener was given');
    assert.equal(next, source.current, 'the listener was given other credentials than current');
  }
}

async function callsOnce({ source, change }: CredentialSourceSubject): Promise<void> {
  const versions: string[] = [];
  source.onChange(({ version }) => versions.push(version));
  assert.equal(versions.length, 0, 'the listener was called without a change');
  await change();
  await change();
  assert.equal(versions.length, 2, `2 changes called the listener ${versions.length} times`);
  assert.equal(new Set(versions).size, 2, 'two changes had the same version');
}

async function stops({ source, change }: CredentialSourceSubject): Promise<void> {
  const calls = { ended: 0, other: 0 };
  const end = source.onChange(() => (calls.ended += 1));
  source.onChange(() => (calls.other += 1));
  end();
  end();
  await change();
  assert.deepEqual(calls, { ended: 0, other: 1 });
}

async function survivesEnds({ source, change }: CredentialSourceSubject): Promise<void> {
  let calls = 0;
  const ends: (() => void)[] = [];
  for (let listener = 0; listener < 3; listener += 1)
    ends.push(
      source.onChange(() => {
        calls += 1;
        ends[listener]?.();
      }),
    );
  await change();
  assert.equal(calls, 3, `${calls} of 3 listeners were called`);
  await change();
  assert.equal(calls, 3, 'a listener that had ended its subscription was called');
}

async function isolates({ source, change }: CredentialSourceSubject): Promise<void> {
  let heard = 0;
  source.onChange(() => {
    throw new Error('a listener that fails');
  });
  source.onChange(() => (heard += 1));
  const before = source.current.version;
  await change();
  assert.equal(heard, 1, 'a listener after the failing one was not called');
  assert.notEqual(source.current.version, before, 'the failure kept the credentials from changing');
}

async function closes({ source, change, close }: CredentialSourceSubject): Promise<void> {
  if (close === undefined) return;
  let calls = 0;
  source.onChange(() => (calls += 1));
  await close();
  const { current } = source;
  await Promise.resolve(change()).catch(() => undefined);
  assert.equal(calls, 0, 'a listener was called after the end');
  assert.equal(source.current, current, 'current changed after the end');
}

/** `challengeFor` is optional; `.invalid` is no name that a CA validates (RFC 2606). */
async function answersNone({ source, change, close }: CredentialSourceSubject): Promise<void> {
  const answersNothing = (): void => {
    const answer: unknown = source.challengeFor?.('nobody.invalid');
    assert.equal(answer, undefined, 'challengeFor answered for a name that nobody validates');
  };
  answersNothing();
  await change();
  answersNothing();
  await close?.();
  answersNothing();
}
