/** Clients refused before their handshake: the first is logged at once, then at most one line per second. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

const EVERY_MS = 1_000;

/** The reasons, as named in `SecureServer.stats().refusedSockets`. */
const reasons: Readonly<Record<string, string>> = {
  closing: 'the server is ending',
  denied: "its address isn't admitted",
  connections: 'as many connections are open as may be',
  address: 'its address has as many connections as it may',
  network: 'its network has as many connections as it may',
  rate: 'too many new connections per second',
  handshakes: 'too many handshakes are under way',
  descriptors: 'no file descriptor is left',
};

interface Refusal {
  readonly address: string;
  readonly limit: string;
}

/** Logs them until the returned function is called; a flood of clients must not flood the log. */
export function logRefusedSockets(
  event: (event: string, fields: Readonly<Record<string, unknown>>, words: string) => void,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  let waiting: { readonly last: Refusal; readonly more: number } | undefined;
  const tell = (refusal: Refusal, more: number): void => {
    const { address: from, limit } = refusal;
    const others = more === 0 ? '' : ` (and ${more.toLocaleString('en')} more)`;
    event('refused-socket', { from, limit, more }, `${from} refused: ${reasons[limit] ?? limit}${others}`);
    timer = setTimeout(flush, EVERY_MS).unref();
  };
  const flush = (): void => {
    timer = undefined;
    if (waiting === undefined) return;
    const { last, more } = waiting;
    waiting = undefined;
    tell(last, more);
  };
  const refused = (message: unknown): void => {
    const refusal = message as Refusal;
    if (timer === undefined) tell(refusal, 0);
    else waiting = { last: refusal, more: waiting === undefined ? 0 : waiting.more + 1 };
  };
  subscribe('knsock:admission', refused);
  return () => {
    unsubscribe('knsock:admission', refused);
    clearTimeout(timer);
    flush();
    clearTimeout(timer);
  };
}
