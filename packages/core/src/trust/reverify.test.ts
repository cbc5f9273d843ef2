import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, vi } from 'vitest';
import { channels } from '../observe/channels.js';
import { createCredentials } from '../credentials/credentials.js';
import { FailureReporter } from '../errors/failure-reporter.js';
import { reverify, type LivePeer } from './reverify.js';
import { parseTrust, type AuthorizeFunction, type TrustPolicy } from './trust-policy.js';
import { PeerVerifier } from './peer-verifier.js';

/** Every peer is admitted without a certificate, if the function returns true. */
function policy(authorize: AuthorizeFunction): TrustPolicy {
  return parseTrust(
    { authorize },
    { credentials: createCredentials({}), usage: 'client', required: false, name: null, verify: 'chain' },
  );
}

class Peer implements LivePeer {
  readonly peer = null;
  readonly remote = null;
  readonly number: number;
  readonly ends: string[] = [];
  failing: (() => void) | null = null;

  constructor(number: number) {
    this.number = number;
  }

  fail(error: Error): void {
    this.failing?.();
    this.ends.push(error.message);
  }

  destroy(error?: Error): void {
    this.ends.push(`destroyed: ${error?.message ?? ''}`);
  }
}

const failures = new FailureReporter(() => undefined);
const peers = (count: number): Peer[] => Array.from({ length: count }, (_, number) => new Peer(number));
const SAID_NO = "a peer without a certificate isn't admitted: authorize refused it";
const no = policy(() => false);
const yes = policy(() => true);
const late = policy(() => new Promise((resolve) => setImmediate(resolve, false)));

describe('reverify', () => {
  it('ends the connections that the policy refuses, and no others', async () => {
    const all = peers(200);
    await reverify(
      new PeerVerifier(),
      'server',
      all,
      ({ number }) => (number % 3 === 0 ? yes : no),
      1_000,
      failures,
    );
    for (const { number, ends } of all) expect(ends).toEqual(number % 3 === 0 ? [] : [SAID_NO]);
  });

  it('waits for asynchronous results', async () => {
    const all = peers(100);
    await reverify(new PeerVerifier(), 'server', all, () => late, 1_000, failures);
    expect(all.flatMap(({ ends }) => ends)).toEqual(all.map(() => SAID_NO));
  });

  it('verifies every peer although the set of peers shrinks and grows meanwhile', async () => {
    const all = peers(300);
    const live = new Set(all);
    const later = new Peer(-1);
    const shrinking = (peer: Peer): TrustPolicy => {
      for (const other of all.slice(peer.number + 1, peer.number + 3)) live.delete(other);
      live.add(later);
      return no;
    };
    await reverify(new PeerVerifier(), 'server', live, shrinking, 1_000, failures);
    for (const { ends } of all) expect(ends).toEqual([SAID_NO]);
    expect(later.ends).toEqual([]);
  });

  it('ends a peer whose policy or verification fails, and continues with the next', async () => {
    const all = peers(150);
    const failing = ({ number }: Peer): TrustPolicy => {
      if (number === 70) throw new TypeError('no policy');
      return number === 71 ? policy(() => Promise.reject(new Error('down'))) : no;
    };
    await reverify(new PeerVerifier(), 'server', all, failing, 1_000, failures);
    expect(all[70]?.ends).toEqual(['no policy']);
    expect(all[71]?.ends).toEqual(["a peer without a certificate isn't admitted: authorize failed"]);
    for (const { ends } of all.slice(72)) expect(ends).toEqual([SAID_NO]);
  });

  it("destroys a peer that can't be ended otherwise, and continues with the next", async () => {
    for (const refusing of [no, late]) {
      const all = peers(150);
      for (const peer of all.slice(0, 100)) {
        peer.failing = () => {
          throw new Error('broken');
        };
      }
      await reverify(new PeerVerifier(), 'server', all, () => refusing, 1_000, failures);
      for (const { ends } of all.slice(0, 100)) expect(ends).toEqual([`destroyed: ${SAID_NO}`]);
      for (const { ends } of all.slice(100)) expect(ends).toEqual([SAID_NO]);
    }
  });

  it('ends a peer whose verification times out, and fires the signal of the check', async () => {
    let signal: AbortSignal | undefined;
    const never = policy((_peer, context) => {
      ({ signal } = context);
      return new Promise(() => undefined);
    });
    const all = peers(2);
    await reverify(
      new PeerVerifier(),
      'server',
      all,
      ({ number }) => (number === 0 ? never : yes),
      5,
      failures,
    );
    expect(all[0]?.ends).toEqual(['verifying a live peer took over 5 ms']);
    expect(all[1]?.ends).toEqual([]);
    expect(signal?.reason).toMatchObject({ code: 'KNSOCK_VERDICT_TIMEOUT' });
  });

  it('yields to other work', async () => {
    const judgedByThen: number[] = [];
    let judged = 0;
    const counting = policy(() => {
      if (judged++ % 64 === 0) setImmediate(() => judgedByThen.push(judged));
      return true;
    });
    await reverify(new PeerVerifier(), 'server', peers(140), () => counting, 1_000, failures);
    await new Promise((resolve) => setImmediate(resolve));
    expect(judgedByThen).toEqual([64, 128, 140]);
  });

  it('leaves no timer behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const soon = policy(() => Promise.resolve(true));
      await reverify(new PeerVerifier(), 'server', peers(3), () => soon, 1_000, failures);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('reports which verified peers it ends and why', async () => {
    const heard: unknown[] = [];
    const listener = (message: unknown): void => void heard.push(message);
    subscribe(channels.verdict.name, listener);
    const broken = (): never => {
      throw new TypeError('no policy');
    };
    const [refused, admitted, failing] = peers(3);
    const of = (peer: Peer) => (peer === refused ? no : peer === admitted ? yes : broken());
    await reverify(new PeerVerifier(), 'client', [refused, admitted, failing] as Peer[], of, 1_000, failures);
    unsubscribe(channels.verdict.name, listener);
    expect(heard).toEqual([
      expect.objectContaining({ role: 'client', ok: false, reason: 'not-allowed', resumed: false }),
    ]);
    expect(failing?.ends).toEqual(['no policy']);
  });
});
