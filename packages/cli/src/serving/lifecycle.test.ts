import { expect, it, vi } from 'vitest';
import { Output } from '../output.js';
import { runUntilSignal } from './lifecycle.js';
import { ServeLog } from './serve-log.js';

it('announces a server only once its signals are handled', async () => {
  const log = new ServeLog(new Output({ quiet: true, json: false, debug: false }), 'serve');
  const reload = vi.fn(async () => {});
  const before = process.listenerCount('SIGTERM');
  const code = await runUntilSignal({
    server: { connections: () => [], close: async () => {} },
    log,
    reload,
    announce: () => {
      // A reader of the announcement may send these at once.
      process.emit('SIGHUP', 'SIGHUP');
      process.emit('SIGTERM', 'SIGTERM');
    },
  });
  expect(code).toBe(0);
  expect(reload).toHaveBeenCalledOnce();
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
