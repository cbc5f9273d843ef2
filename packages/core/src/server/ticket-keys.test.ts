import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../errors/index.js';
import { TicketSecret } from './ticket-keys.js';

const shared = randomBytes(32);
const HALF_A_DAY = 12 * 3_600_000;
const NOON = 40_000 * HALF_A_DAY;

describe('TicketSecret', () => {
  it('derives the same keys from the same secret, trust and time', () => {
    const keys = new TicketSecret(shared).keys('trust', NOON);
    expect(keys).toHaveLength(48);
    expect(new TicketSecret(Buffer.from(shared)).keys('trust', NOON + HALF_A_DAY - 1)).toEqual(keys);
  });

  it('derives other keys from another secret, other trust and the next half day', () => {
    const all = [
      new TicketSecret(shared).keys('trust', NOON),
      new TicketSecret(randomBytes(32)).keys('trust', NOON),
      new TicketSecret(undefined).keys('trust', NOON),
      new TicketSecret(shared).keys('other trust', NOON),
      new TicketSecret(shared).keys('trust', NOON + HALF_A_DAY),
      new TicketSecret(shared).keys('trust', NOON - 1),
    ];
    expect(new Set(all.map((keys) => keys.toString('hex'))).size).toBe(all.length);
  });

  it('keeps its secret when the bytes passed in change', () => {
    const given = Buffer.from(shared);
    const secret = new TicketSecret(given);
    given.fill(0);
    expect(secret.keys('trust', NOON)).toEqual(new TicketSecret(shared).keys('trust', NOON));
  });

  it("refuses a secret that is too short, or isn't bytes", () => {
    expect(() => new TicketSecret(randomBytes(31))).toThrow(/32 random bytes, not 31/);
    expect(() => new TicketSecret('x'.repeat(32) as never)).toThrow(/not string/);
    expect(() => new TicketSecret(null as never)).toThrow(InvalidOptionError);
  });
});
