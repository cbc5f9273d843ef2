import { describe, expect, it } from 'vitest';
import { Backlog } from './backlog.js';

const message = (text: string): Buffer => Buffer.from(text);

describe('Backlog', () => {
  it('gives messages up in the order in which they came, waited for or not', () => {
    const backlog = new Backlog(100);
    backlog.add(message('a'));
    void backlog.wait(message('b'), undefined);
    backlog.add(message('c'));
    expect([backlog.shift(), backlog.shift(), backlog.shift()].map((held) => String(held?.bytes))).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect(backlog.shift()).toBeUndefined();
  });

  it('refuses what goes over its limit, with the numbers, and keeps the rest', () => {
    const backlog = new Backlog(5);
    backlog.add(message('1234'));
    expect(() => {
      backlog.add(message('56'));
    }).toThrow(
      expect.objectContaining({
        code: 'KNSOCK_QUEUE_FULL',
        message: expect.stringMatching(/4 bytes.*2 more.*5/) as unknown,
      }),
    );
    expect(backlog.bytes).toBe(4);
    backlog.add(message('5'));
    expect(backlog.bytes).toBe(5);
  });

  it('takes one message of any size, and rejects a wait over its limit behind it', async () => {
    const backlog = new Backlog(1);
    void backlog.wait(message('12'), undefined);
    await expect(backlog.wait(message('3'), undefined)).rejects.toMatchObject({ code: 'KNSOCK_QUEUE_FULL' });
    expect(String(backlog.shift()?.bytes)).toBe('12');
  });

  it('takes an aborted message back unsent', async () => {
    const backlog = new Backlog(100);
    const controller = new AbortController();
    const waiting = backlog.wait(message('a'), controller.signal);
    backlog.add(message('b'));
    const reason = new Error('no longer');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(String(backlog.shift()?.bytes)).toBe('b');
    expect(backlog.bytes).toBe(0);
  });

  it('fails all that wait when the connection ends', async () => {
    const backlog = new Backlog(100);
    const waiting = backlog.wait(message('a'), undefined);
    const error = new Error('gone');
    backlog.failAll(error);
    await expect(waiting).rejects.toBe(error);
    expect(backlog.length).toBe(0);
  });
});
