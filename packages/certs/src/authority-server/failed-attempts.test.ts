import { describe, expect, it } from 'vitest';
import { FailedAttempts } from './failed-attempts.js';

const NOW = 1_000_000;

/** Attempts of these addresses, one failure each. */
function attemptsOf(addresses: readonly string[]): FailedAttempts {
  const attempts = new FailedAttempts();
  for (const address of addresses) attempts.failed(address, NOW);
  return attempts;
}

const ten = (address: (index: number) => string): string[] =>
  Array.from({ length: 10 }, (_, i) => address(i));

describe('guessing', () => {
  it('is limited by the address for IPv4, and by the /64 for IPv6', () => {
    const spread = attemptsOf(ten((index) => `2001:db8:1:2:${index + 1}::${index}`));
    expect(spread.wait('2001:db8:1:2::ffff', NOW)).toBe(60_000);
    expect(spread.wait('2001:0DB8:0001:0002:0:0:0:9', NOW)).toBe(60_000);
    expect(spread.wait('2001:db8:1:3::1', NOW)).toBe(0);
    const neighbours = attemptsOf(ten((index) => `192.0.2.${index}`));
    expect(neighbours.wait('192.0.2.1', NOW)).toBe(0);
    expect(attemptsOf(ten(() => '::ffff:192.0.2.1')).wait('192.0.2.1', NOW)).toBe(60_000);
    expect(attemptsOf(ten((index) => `fe80::${index}%eth0`)).wait('fe80::1%eth0', NOW)).toBe(60_000);
  });

  it('may go on a minute after the first failure', () => {
    const attempts = attemptsOf(ten(() => '192.0.2.1'));
    expect(attempts.wait('192.0.2.1', NOW + 59_999)).toBe(1);
    expect(attempts.wait('192.0.2.1', NOW + 60_000)).toBe(0);
  });

  it('is forgotten for the oldest of very many addresses', () => {
    const attempts = attemptsOf(ten(() => '192.0.2.1'));
    for (let index = 0; index < 10_000; index += 1) attempts.failed(`2001:db8:${index.toString(16)}::1`, NOW);
    expect(attempts.wait('192.0.2.1', NOW)).toBe(0);
  });
});
