import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../errors/index.js';
import { Admission, parseAdmission, type AdmissionOptions } from './admission.js';

const admission = (options: AdmissionOptions = {}): Admission => new Admission(parseAdmission(options), 0);

describe('admission', () => {
  it('admits every client by default, with a known address or without', () => {
    const open = admission();
    expect([open.admitClient('192.0.2.1', 0), open.admitClient(undefined, 0)]).toEqual([null, null]);
    expect([open.countsClients, open.full]).toEqual([false, false]);
  });

  it('is full at its limit, until one leaves', () => {
    const small = admission({ maxConnections: 2 });
    small.enter();
    expect(small.full).toBe(false);
    small.enter();
    expect(small.full).toBe(true);
    small.leave();
    expect(small.full).toBe(false);
  });

  it('prefers deny over allow, and refuses addresses that no allow entry contains', () => {
    const listed = admission({ allow: ['192.0.2.0/24'], deny: ['192.0.2.7'] });
    expect(listed.admitClient('192.0.2.1', 0)).toBeNull();
    expect(listed.admitClient('::ffff:192.0.2.1', 0)).toBeNull();
    expect(listed.admitClient('192.0.2.7', 0)).toBe('denied');
    expect(listed.admitClient('198.51.100.1', 0)).toBe('denied');
  });

  it('counts an IPv4 client by its address and an IPv6 one by its /64', () => {
    const quota = admission({ maxConnectionsPerAddress: 1 });
    expect(quota.countsClients).toBe(true);
    quota.enterClient('192.0.2.1');
    quota.enterClient('2001:db8::1');
    expect(quota.admitClient('192.0.2.1', 0)).toBe('address');
    expect(quota.admitClient('192.0.2.2', 0)).toBeNull();
    expect(quota.admitClient('2001:db8::ffff', 0)).toBe('address');
    expect(quota.admitClient('2001:db8:0:1::1', 0)).toBeNull();
    quota.leaveClient('192.0.2.1');
    expect(quota.admitClient('192.0.2.1', 0)).toBeNull();
  });

  it('counts networks by the prefixes given', () => {
    const network = admission({ maxConnectionsPerNetwork: { limit: 2, ipv4Prefix: 16 } });
    network.enterClient('192.0.2.1');
    expect(network.admitClient('192.0.99.1', 0)).toBeNull();
    network.enterClient('192.0.99.1');
    expect(network.admitClient('192.0.50.1', 0)).toBe('network');
    expect(network.admitClient('192.1.0.1', 0)).toBeNull();
    network.enterClient(undefined);
    network.leaveClient(undefined);
    expect(network.admitClient('192.0.50.1', 0)).toBe('network');
  });

  it('counts against the rate only clients that no other limit refuses', () => {
    const rated = admission({ acceptRate: { perSecond: 1, burst: 2 }, deny: ['192.0.2.7'] });
    for (let n = 0; n < 5; n++) expect(rated.admitClient('192.0.2.7', 0)).toBe('denied');
    expect([1, 2, 3].map(() => rated.admitClient('192.0.2.1', 0))).toEqual([null, null, 'rate']);
    expect(rated.admitClient('192.0.2.1', 1_000)).toBeNull();
    expect(rated.admitClient('192.0.2.1', 1_000)).toBe('rate');
  });

  it("uses one second's worth as the burst of a rate given as a number", () => {
    const { acceptRate } = parseAdmission({ acceptRate: 50 });
    expect(acceptRate).toEqual({ perSecond: 50, burst: 50 });
    expect(parseAdmission({ acceptRate: 0.5 }).acceptRate).toEqual({ perSecond: 0.5, burst: 1 });
    expect(parseAdmission({}).acceptRate).toBeNull();
  });

  it('counts refusals by their cause, and hands out a copy', () => {
    const counting = admission();
    counting.refuse('rate');
    counting.refuse('rate');
    counting.refuse('descriptors');
    const { refused } = counting;
    counting.refuse('rate');
    expect(refused).toEqual({
      closing: 0,
      denied: 0,
      connections: 0,
      address: 0,
      network: 0,
      rate: 2,
      handshakes: 0,
      descriptors: 1,
    });
  });

  it('has limits by default', () => {
    expect(parseAdmission({})).toMatchObject({
      maxConnections: 10_000,
      maxPendingHandshakes: 1_000,
      quotas: [],
    });
  });

  it.each([
    { maxConnections: 0 },
    { maxPendingHandshakes: 0 },
    { maxConnectionsPerAddress: 0 },
    { maxConnectionsPerNetwork: {} },
    { maxConnectionsPerNetwork: { limit: 1, ipv4Prefix: 33 } },
    { maxConnectionsPerNetwork: { limit: 1, ipv6Prefix: 129 } },
    { maxConnectionsPerNetwork: { limit: 1, prefix: 8 } },
    { acceptRate: 0 },
    { acceptRate: { perSecond: 1, burst: 0.5 } },
    { acceptRate: { perSecond: 1 } },
    { acceptRate: { perSecond: 1, burst: 1, per: 1 } },
    { acceptRate: '5' },
    { allow: ['anything'] },
  ])('refuses %j', (options) => {
    expect(() => parseAdmission(options as AdmissionOptions)).toThrow(InvalidOptionError);
  });
});
