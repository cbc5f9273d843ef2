import { share, type Health } from './health.js';

/** Input of balancing. */
export interface Candidate {
  readonly health: Health;
  /** Requests in flight and connections lent. */
  readonly load: number;
  /** Connections open or being opened. */
  readonly connections: number;
  /** Whether the next connection is reserved for it. */
  readonly called: boolean;
}

/**
 * Where the next request goes: of two endpoints drawn at random the one with less in flight. Two draws avoid both the
 * rush to the one that looks best to all callers at once and the long queues of a single draw (Mitzenmacher 2001).
 */
export function pick<E extends Candidate>(endpoints: readonly E[], now: number, random: () => number): E {
  if (endpoints.length === 1) return endpoints[0] as E;
  const able = admitted(endpoints, now, random);
  const first = draw(able, random);
  const second = draw(
    able.filter((endpoint) => endpoint !== first),
    random,
  );
  return second !== undefined && second.load < (first as E).load ? second : (first as E);
}

/**
 * The order in which to try them for a new connection: those with a reserved one, then those with the fewest, at random
 * among equals; those set aside last, the one due back soonest before the others.
 */
export function turns<E extends Candidate>(endpoints: readonly E[], now: number, random: () => number): E[] {
  const lots = endpoints.map((endpoint) => ({ endpoint, lot: random() }));
  const able = new Set(admitted(endpoints, now, random));
  const rank = (endpoint: E) => (endpoint.called ? 0 : able.has(endpoint) ? 1 : 2);
  return lots
    .sort((a, b) => {
      const [one, other] = [rank(a.endpoint), rank(b.endpoint)];
      if (one !== other) return one - other;
      if (one === 2) return a.endpoint.health.until - b.endpoint.health.until;
      return a.endpoint.connections - b.endpoint.connections || a.lot - b.lot;
    })
    .map(({ endpoint }) => endpoint);
}

// A recovering one takes part as often as its share says. If all are set aside, one must be tried: the one that
// is due back soonest, or after a common outage all of them would wait for a preferred one to recover.
function admitted<E extends Candidate>(endpoints: readonly E[], now: number, random: () => number): E[] {
  const shares = endpoints.map((endpoint) => share(endpoint.health, now));
  const lucky = endpoints.filter((_, index) => (shares[index] ?? 0) >= 1 || random() < (shares[index] ?? 0));
  if (lucky.length > 0) return lucky;
  const back = endpoints.filter((_, index) => (shares[index] ?? 0) > 0);
  if (back.length > 0) return back;
  const soonest = Math.min(...endpoints.map(({ health }) => health.until));
  return endpoints.filter(({ health }) => health.until === soonest);
}

function draw<E>(from: readonly E[], random: () => number): E | undefined {
  return from[Math.floor(random() * from.length)];
}
