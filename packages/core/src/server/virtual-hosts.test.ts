import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCredentials } from '../credentials/credentials.js';
import type { AlpnChallenge, CredentialSource } from '../credentials/source.js';
import { InvalidOptionError } from '../errors/index.js';
import type { ServerContext } from './server-context.js';
import { parseHostName, VirtualHosts } from './virtual-hosts.js';

/** Routing compares contexts by identity and uses nothing of them. */
const context = (name: string): ServerContext => ({ name }) as unknown as ServerContext;
const fallback = context('default');
const exact = context('a.test');
const wild = context('*.test');
const named = new Map([
  ['a.test', exact],
  ['*.test', wild],
]);
const open = new VirtualHosts(fallback, named, 'default');
const closed = new VirtualHosts(fallback, named, 'refuse');

describe('a name', () => {
  it.each([
    ['a.test', exact],
    ['A.TEST', exact],
    ['a.test.', exact],
    ['b.test', wild],
    ['B.test.', wild],
    ['x.a.test', null],
    ['test', null],
    ['.test', wild],
    ['a.test..', null],
    ['a.test.example', null],
    ['', null],
  ])('%j selects the right entry', (name, expected) => {
    expect(open.find(name)).toBe(expected);
    expect(open.route(name)).toBe(expected ?? fallback);
    expect(closed.route(name)).toBe(expected ?? 'refuse');
  });

  it("that wasn't sent selects the default, even where unknown ones are refused", () => {
    expect([open.route(null), closed.route(null)]).toEqual([fallback, fallback]);
  });

  it('never selects another entry, in any case and with or without a trailing dot', () => {
    fc.assert(
      fc.property(fc.domain(), fc.boolean(), fc.boolean(), (name, upper, dot) => {
        const hosts = new VirtualHosts(fallback, new Map([[name.toLowerCase(), exact]]), 'refuse');
        const asked = `${upper ? name.toUpperCase() : name}${dot ? '.' : ''}`;
        expect(hosts.route(asked)).toBe(exact);
        expect(hosts.route(`x${asked}`)).toBe('refuse');
      }),
    );
  });
});

describe('a listener', () => {
  it('reads names only where they make a difference', () => {
    expect(open.hello).toBe('required');
    expect(new VirtualHosts(fallback, new Map(), 'refuse').hello).toBe('required');
    expect(new VirtualHosts(fallback, new Map(), 'default').hello).toBe('none');
  });

  it('lists all of its contexts', () => {
    expect([...open]).toEqual([fallback, exact, wild]);
  });
});

describe('a validation', () => {
  const source = (answers: Record<string, AlpnChallenge>, asked: string[] = []): CredentialSource => ({
    current: createCredentials({}),
    onChange: () => () => undefined,
    challengeFor: (name) => {
      asked.push(name);
      return answers[name];
    },
  });
  const [one, two] = ['1', '2'].map((cert) => ({ cert, key: cert })) as [AlpnChallenge, AlpnChallenge];

  it('makes the listener read what it can, and refuse no more than before', () => {
    const sources = new Map([[fallback, source({})]]);
    expect(new VirtualHosts(fallback, new Map(), 'default', sources).hello).toBe('if readable');
    expect(new VirtualHosts(fallback, named, 'default', sources).hello).toBe('required');
    expect(new VirtualHosts(fallback, new Map(), 'refuse', sources).hello).toBe('required');
  });

  it("is answered by the name's own source, or else by the default's", () => {
    const asked: string[] = [];
    const hosts = new VirtualHosts(
      fallback,
      named,
      'refuse',
      new Map([
        [exact, source({ 'a.test': one })],
        [wild, source({})],
        [fallback, source({ 'a.test': two, 'b.test': two, 'c.example': two }, asked)],
      ]),
    );
    expect(['a.test', 'b.test', 'c.example', 'd.example'].map((name) => hosts.challengeFor(name))).toEqual([
      one,
      two,
      two,
      undefined,
    ]);
    expect(asked).toEqual(['b.test', 'c.example', 'd.example']);
  });

  it("is never answered by another entry's source", () => {
    const asked: string[] = [];
    const sources = new Map([[exact, source({ 'b.test': one, 'c.example': one }, asked)]]);
    const hosts = new VirtualHosts(fallback, named, 'default', sources);
    expect(['b.test', 'c.example'].map((name) => hosts.challengeFor(name))).toEqual([undefined, undefined]);
    expect(asked).toEqual([]);
  });
});

describe("an entry's name", () => {
  it.each([
    ['A.test', 'a.test'],
    ['bücher.test', 'xn--bcher-kva.test'],
    ['*.Wild.test', '*.wild.test'],
    ['localhost', 'localhost'],
  ])('%j is compared as %j', (given, expected) => {
    expect(parseHostName(given)).toBe(expected);
  });

  it.each([
    '',
    '*',
    '*.',
    '*.*.test',
    'a.*.test',
    'a.test.',
    '192.0.2.1',
    '*.192.0.2.1',
    '[::1]',
    'a b',
    'a.test/x',
    'a.test#x',
    'a.test?x',
    'a.test\\x',
    'a%2etest',
    'a\ttest',
    'ä.test/x',
  ])('%j is refused', (given) => {
    expect(() => parseHostName(given)).toThrow(InvalidOptionError);
  });
});
