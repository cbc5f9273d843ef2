import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** What a diagnostics channel tells, until disposed. */
export function hear(channel: string): { events: Record<string, unknown>[] } & Disposable {
  const events: Record<string, unknown>[] = [];
  const listener = (event: unknown): void => {
    events.push(event as Record<string, unknown>);
  };
  subscribe(channel, listener);
  return { events, [Symbol.dispose]: () => unsubscribe(channel, listener) };
}
