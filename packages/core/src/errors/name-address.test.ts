import { describe, expect, it } from 'vitest';
import { ConnectionClosedError } from './index.js';
import { nameAddress, wordsOf } from './name-address.js';

const closed = (message = 'the connection is closed') => new ConnectionClosedError('unknown', message);

describe('nameAddress', () => {
  it('adds the address to the message and to the stack, and keeps the error', () => {
    const error = closed();
    expect(nameAddress(error, '192.0.2.1:8443')).toBe(error);
    expect(error.message).toBe('the connection is closed (connection with 192.0.2.1:8443)');
    expect(error.stack?.split('\n')[0]).toContain(error.message);
    expect(error.stack).toContain('name-address.test');
    expect(wordsOf(error)).toBe('the connection is closed');
  });

  it('adds it once, whichever connection asks', () => {
    const error = nameAddress(closed(), '192.0.2.1:8443');
    const { message } = error;
    expect(nameAddress(error, '192.0.2.1:8443').message).toBe(message);
    expect(nameAddress(error, '[::1]:9')).toBe(error);
    expect(error.message).toBe(message);
  });

  it.each(['localhost:8443 is gone', '192.0.2.1:8443 is gone'])('leaves %s, which names it', (message) => {
    expect(nameAddress(closed(message), '192.0.2.1:8443').message).toBe(message);
  });

  it('leaves a peer without an address, and errors of others', () => {
    expect(nameAddress(closed(), null).message).toBe('the connection is closed');
    expect(nameAddress(new Error('mine'), '[::1]:9').message).toBe('mine');
    expect(wordsOf(new Error('mine'))).toBe('mine');
  });
});
