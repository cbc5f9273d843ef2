interface Audience<W> {
  readonly members: Set<W>;
  readonly onAbort: () => void;
}

/**
 * Shares one listener per abort signal. Many callers often have the same signal (that of the request they all serve),
 * and with a listener for each, Node would warn of a leak from the eleventh on.
 */
export class SharedSignals<W> {
  readonly #audiences = new Map<AbortSignal, Audience<W>>();
  readonly #tell: (member: W, reason: unknown) => void;

  constructor(tell: (member: W, reason: unknown) => void) {
    this.#tell = tell;
  }

  add(signal: AbortSignal, member: W): void {
    const audience = this.#audiences.get(signal) ?? this.#begin(signal);
    audience.members.add(member);
  }

  drop(signal: AbortSignal, member: W): void {
    const audience = this.#audiences.get(signal);
    if (!audience?.members.delete(member) || audience.members.size > 0) return;
    this.#audiences.delete(signal);
    signal.removeEventListener('abort', audience.onAbort);
  }

  #begin(signal: AbortSignal): Audience<W> {
    const members = new Set<W>();
    const onAbort = () => {
      for (const member of [...members]) this.#tell(member, signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const audience = { members, onAbort };
    this.#audiences.set(signal, audience);
    return audience;
  }
}
