import { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it, vi } from 'vitest';
import { OnreadTap } from './onread-tap.js';
import { TlsStream } from './tls-stream.js';

/** A socket that the test drives, a stream over it, and what the stream reports. */
function opened() {
  const socket = Object.assign(new EventEmitter(), {
    pause: () => undefined,
    resume: () => undefined,
    destroy: () => socket.emit('close'),
  });
  const tap = new OnreadTap();
  const stream = new TlsStream(socket as unknown as TLSSocket, tap);
  const told: string[] = [];
  stream.open({
    copiesNext: 65_536,
    data: (chunk: Buffer) => told.push(String(chunk)),
    end: () => told.push('end'),
    drain: () => undefined,
    gone: (error?: Error) => told.push(error === undefined ? 'gone' : error.message),
  });
  const arrive = (text: string): void => {
    const buffer = tap.option.buffer;
    buffer.write(text);
    tap.option.callback(text.length, buffer);
  };
  return { socket, stream, told, arrive };
}

describe('a TLS stream', () => {
  it('delivers to a slow reader what arrived, and the end, although the socket is closed by then', () => {
    const { socket, stream, told, arrive } = opened();
    arrive('first');
    stream.pause();
    arrive('second');
    socket.emit('end');
    socket.emit('close');
    expect(told).toEqual(['first']);
    stream.resume();
    expect(told).toEqual(['first', 'second', 'end', 'gone']);
    stream.resume();
    stream.destroy();
    expect(told).toHaveLength(4);
  });

  it('keeps nothing for a reader that destroys the stream', () => {
    const { socket, stream, told, arrive } = opened();
    stream.pause();
    arrive('never read');
    socket.emit('end');
    socket.emit('close');
    stream.destroy(new Error('too slow'));
    expect(told).toEqual(['too slow']);
  });

  it("keeps it for two minutes after the reader's last read, and no longer", () => {
    vi.useFakeTimers();
    try {
      const { socket, stream, told, arrive } = opened();
      stream.pause();
      arrive('never read');
      socket.emit('end');
      socket.emit('close');
      vi.advanceTimersByTime(119_999);
      expect(told).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(told).toEqual(["what the peer had sent wasn't read within 120000 ms"]);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("delivers to a slow reader what came before the peer's alert, and then the alert", () => {
    const { socket, stream, told, arrive } = opened();
    stream.pause();
    arrive('first');
    socket.emit('error', new Error('SSL alert number 80'));
    expect(told).toEqual([]);
    socket.emit('end');
    stream.resume();
    expect(told).toEqual(['first', 'SSL alert number 80']);
  });

  it('reports an error at once', () => {
    const { socket, stream, told, arrive } = opened();
    stream.pause();
    arrive('cut off');
    socket.emit('error', new Error('reset'));
    expect(told).toEqual(['reset']);
  });
});
