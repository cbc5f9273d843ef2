import type { SecureConnection } from '@knsock/core';
import { describe, expect, it } from 'vitest';
import { ManualClock, settled } from '../manual-clock.js';
import { Pool } from '../pool/pool.js';
import { Balancer } from './balancer.js';
import { Endpoint } from './endpoint.js';

/** A pool over endpoints of which each new connection takes the one that `next` names. */
async function balanced(count: number, max: number, opened: readonly number[] = []) {
  const clock = new ManualClock();
  const settings = { name: 'p', clock, random: () => 0 };
  const endpoints = Array.from({ length: count }, (_, index) => {
    return new Endpoint({ host: 'h', port: index }, settings);
  });
  const at = new Map<SecureConnection, Endpoint>();
  const destroyed: number[] = [];
  const order = [...opened];
  const pool = new Pool<SecureConnection>({
    create: () => {
      const called = endpoints.findIndex((endpoint) => endpoint.called);
      const endpoint = endpoints[order.shift() ?? Math.max(called, 0)] as Endpoint;
      const connection = {} as SecureConnection;
      at.set(connection, endpoint);
      endpoint.called = false;
      endpoint.open += 1;
      return connection;
    },
    destroy: (connection) => {
      const endpoint = at.get(connection) as Endpoint;
      endpoint.open -= 1;
      destroyed.push(endpoints.indexOf(endpoint));
    },
    max,
    clock,
    random: () => 0,
  });
  const leases = await Promise.all(opened.map(() => pool.acquire()));
  for (const lease of leases) lease.release();
  const endpointOf = (connection: SecureConnection) => at.get(connection) as Endpoint;
  const balancer = new Balancer({ pool, endpoints, endpointOf, clock, random: () => 0 });
  const open = () => endpoints.map((endpoint) => endpoint.open);
  return { clock, endpoints, pool, balancer, at, destroyed, open };
}

describe('balancing', () => {
  it('has nothing to choose or to open with one endpoint', async () => {
    const { balancer, endpoints, pool } = await balanced(1, 4);
    const [only] = endpoints as [Endpoint];
    expect(balancer.pick()).toBe(only);
    expect([only.called, pool.stats().total]).toEqual([false, 0]);
    expect(balancer.leadsTo(only)({} as SecureConnection)).toBe(true);
  });

  it('knows which connections lead to an endpoint', async () => {
    const { balancer, endpoints, at } = await balanced(2, 4, [0, 1]);
    const [first, second] = [...at.keys()] as [SecureConnection, SecureConnection];
    const leads = balancer.leadsTo(endpoints[0] as Endpoint);
    expect([leads(first), leads(second)]).toEqual([true, false]);
  });

  it('opens a connection to the chosen endpoint where it has none', async () => {
    const { balancer, endpoints, open } = await balanced(2, 4, [1]);
    expect(balancer.pick()).toBe(endpoints[0]);
    await settled();
    expect(open()).toEqual([1, 1]);
  });

  it('opens none where the chosen endpoint has one', async () => {
    const { balancer, endpoints, open } = await balanced(2, 4, [0]);
    expect(balancer.pick()).toBe(endpoints[0]);
    await settled();
    expect(open()).toEqual([1, 0]);
  });

  it('in a full pool takes one connection of the busiest for an endpoint that has two less', async () => {
    const { balancer, open, destroyed } = await balanced(3, 4, [1, 2, 2, 2]);
    balancer.pick();
    await settled();
    expect(destroyed).toEqual([2]);
    expect(open()).toEqual([1, 1, 2]);
  });

  it('in a full pool leaves it at that where the busiest has only one more', async () => {
    const { balancer, endpoints, open, destroyed } = await balanced(3, 3, [0, 1, 1]);
    expect(balancer.pick()).toBe(endpoints[0]);
    await settled();
    expect([open(), destroyed]).toEqual([[1, 2, 0], []]);
  });

  it('in a full pool takes the next only when the last has been opened', async () => {
    const { balancer, endpoints, destroyed } = await balanced(2, 4, [1, 1, 1, 1]);
    (endpoints[1] as Endpoint).called = true;
    balancer.pick();
    await settled();
    expect(destroyed).toEqual([]);
  });

  it('in a full pool whose every connection is lent calls for none until one has come back', async () => {
    const { balancer, pool, open, endpoints } = await balanced(2, 2, [1, 1]);
    const leases = [await pool.acquire(), await pool.acquire()];
    balancer.pick();
    expect((endpoints[0] as Endpoint).called).toBe(true);
    balancer.pick();
    for (const lease of leases) lease.release();
    await settled();
    expect(open()).toEqual([1, 1]);
  });

  it('reports which endpoint is set aside at the moment', async () => {
    const { balancer, clock, endpoints } = await balanced(2, 4);
    const [endpoint] = endpoints as [Endpoint];
    expect(balancer.isAside(endpoint)).toBe(false);
    endpoint.recordFailure('unreachable', new Error('refused'));
    expect(balancer.isAside(endpoint)).toBe(true);
    await clock.advance(endpoint.health.until - clock.now());
    expect(balancer.isAside(endpoint)).toBe(false);
  });

  it('retires the connections of an endpoint once it is set aside, and no others', async () => {
    const { balancer, endpoints, destroyed } = await balanced(2, 4, [0, 1, 0]);
    const [endpoint] = endpoints as [Endpoint];
    for (let time = 0; time < 2; time += 1) balancer.doubt(endpoint, 'silent', new Error('silent'));
    expect(destroyed).toEqual([]);
    balancer.doubt(endpoint, 'silent', new Error('silent'));
    await settled();
    expect(destroyed).toEqual([0, 0]);
  });
});
