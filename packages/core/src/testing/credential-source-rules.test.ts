import { describe, expect, it } from 'vitest';
import { createCredentials, type Credentials } from '../credentials/credentials.js';
import type { CredentialSource } from '../credentials/source.js';
import {
  checkCredentialSource,
  credentialSourceRules,
  type CredentialSourceSubject,
} from './credential-source-rules.js';

/** A source that does all that it should; what a test changes of it must be noticed. */
class Plain implements CredentialSource {
  current: Credentials = fresh();
  readonly listeners = new Set<(next: Credentials) => void>();

  onChange(listener: (next: Credentials) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  change(): void {
    this.current = fresh();
    for (const listener of [...this.listeners]) this.call(listener);
  }

  call(listener: (next: Credentials) => void): void {
    try {
      listener(this.current);
    } catch {
      // Reported, in a real one.
    }
  }
}

let made = 0;

/** Credentials of a version of their own. */
function fresh(): Credentials {
  made += 1;
  return Object.create(createCredentials({}), { version: { value: `version ${made}` } }) as Credentials;
}

function subjectOf(source: Plain): CredentialSourceSubject {
  let closed = false;
  return {
    source,
    change: () => {
      if (!closed) source.change();
      return Promise.resolve();
    },
    close: () => (closed = true),
  };
}

describe('a source that follows the rules', () => {
  for (const { name, check } of credentialSourceRules(() => subjectOf(new Plain()))) it(name, check);

  it('passes as a whole', () =>
    expect(checkCredentialSource(() => subjectOf(new Plain()))).resolves.toBeUndefined());
});

describe('a source that answers ACME validations', () => {
  const make = () => subjectOf(Object.assign(new Plain(), { challengeFor: () => undefined }));
  for (const { name, check } of credentialSourceRules(make)) it(name, check);
});

describe('a source that breaks a rule is found out', () => {
  const broken: readonly (readonly [how: string, rule: RegExp, make: () => CredentialSourceSubject])[] = [
    [
      'with credentials of its own making',
      /has checked credentials/,
      () => subjectOf(Object.assign(new Plain(), { current: { version: '1' } as Credentials })),
    ],
    [
      'that calls before it has changed',
      /after current has them/,
      () =>
        subjectOf(
          new (class extends Plain {
            override change(): void {
              const next = fresh();
              for (const listener of [...this.listeners]) listener(next);
              this.current = next;
            }
          })(),
        ),
    ],
    [
      'that calls twice',
      /every listener|once for each/,
      () =>
        subjectOf(
          new (class extends Plain {
            override call(listener: (next: Credentials) => void): void {
              super.call(listener);
              super.call(listener);
            }
          })(),
        ),
    ],
    [
      'that forgets nobody',
      /stops calling/,
      () =>
        subjectOf(
          new (class extends Plain {
            override onChange(listener: (next: Credentials) => void): () => void {
              super.onChange(listener);
              return () => undefined;
            }
          })(),
        ),
    ],
    [
      'whose change fails with a listener',
      /keeps a failing listener/,
      () =>
        subjectOf(
          new (class extends Plain {
            override call(listener: (next: Credentials) => void): void {
              listener(this.current);
            }
          })(),
        ),
    ],
    [
      'that goes on after its end',
      /once it is closed/,
      () => ({ ...subjectOf(new Plain()), ...endless(new Plain()) }),
    ],
    [
      'that answers every validation',
      /has none pending for/,
      () => subjectOf(Object.assign(new Plain(), { challengeFor: () => ({ cert: '', key: '' }) })),
    ],
    [
      'that answers validations by promises',
      /has none pending for/,
      () => subjectOf(Object.assign(new Plain(), { challengeFor: () => Promise.resolve() as never })),
    ],
  ];

  it.each(broken)('%s', async (_how, rule, make) => {
    await expect(checkCredentialSource(make)).rejects.toThrow(rule);
  });
});

function endless(source: Plain): CredentialSourceSubject {
  return {
    source,
    change: () => {
      source.change();
      return Promise.resolve();
    },
    close: () => undefined,
  };
}
