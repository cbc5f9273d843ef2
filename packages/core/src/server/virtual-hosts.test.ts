import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
    expect(closed.serving(name)).toBe(expected ?? fallback);
  });

  it('that wasn’t sent selects the default, even where unknown ones are refused', () => {
    expect([open.route(null), closed.route(null), closed.serving(null)]).toEqual([
      fallback,
      fallback,
      fallback,
    ]);
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
    expect(open.needsName).toBe(true);
    expect(new VirtualHosts(fallback, new Map(), 'refuse').needsName).toBe(true);
    expect(new VirtualHosts(fallback, new Map(), 'default').needsName).toBe(false);
  });

  it('lists all of its contexts', () => {
    expect([...open]).toEqual([fallback, exact, wild]);
  });
});

describe('an entry’s name', () => {
  it.each([
    ['A.test', 'a.test'],
    ['bücher.test', 'xn--bcher-kva.test'],
    ['*.Wild.test', '*.wild.test'],
    ['localhost', 'localhost'],
  ])('%j is compared as %j', (given, expected) => {
    expect(parseHostName(given)).toBe(expected);
  });

  it.each(['', '*', '*.', '*.*.test', 'a.*.test', 'a.test.', '192.0.2.1', '*.192.0.2.1', '[::1]', 'a b'])(
    '%j is refused',
    (given) => {
      expect(() => parseHostName(given)).toThrow(InvalidOptionError);
    },
  );
});
