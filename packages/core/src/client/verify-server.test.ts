import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createCredentials } from '../credentials/credentials.js';
import { FailureReporter } from '../errors/failure-reporter.js';
import type { PeerChain } from '../trust/peer-chain.js';
import { PeerVerifier } from '../trust/peer-verifier.js';
import { parseTrust, type TrustOptions } from '../trust/trust-policy.js';
import { verifyServer } from './verify-server.js';

const nothing: PeerChain = {
  leaf: null,
  chain: () => [],
  opensslError: null,
  remembered: null,
  resumed: false,
};

/** A stream whose peer leaves when a test triggers it. */
class Watched {
  left: ((error: Error | undefined) => void) | null = null;

  watchPeer(left: (error: Error | undefined) => void): () => void {
    this.left = left;
    return () => (this.left = null);
  }
}

function verifying(options: TrustOptions) {
  const stream = new Watched();
  const deadline = new AbortController();
  const reported: unknown[] = [];
  const trust = parseTrust(options, {
    credentials: createCredentials({}),
    usage: 'server',
    required: false,
    name: null,
    verify: 'chain',
  });
  const failures = new FailureReporter((error: Error) => reported.push(error));
  const run = () =>
    verifyServer(
      new PeerVerifier(),
      { trust, failures },
      nothing,
      stream,
      deadline.signal,
      (error) => error ?? new Error('it left'),
    );
  return { stream, deadline, reported, run };
}

describe('verifying a server that may leave', () => {
  it('watches nothing where no check is asynchronous', async () => {
    const { stream, deadline, run } = verifying({});
    const result = run();
    expect(stream.left).toBeNull();
    expect(getEventListeners(deadline.signal, 'abort')).toEqual([]);
    expect(await result).toMatchObject({ ok: true });
  });

  it('returns the answer of a rule, and then stops watching', async () => {
    const { stream, deadline, run } = verifying({ authorize: () => Promise.resolve(true) });
    const result = run();
    expect(stream.left).not.toBeNull();
    expect(await result).toMatchObject({ ok: true });
    expect(stream.left).toBeNull();
    expect(getEventListeners(deadline.signal, 'abort')).toEqual([]);
  });

  it.each<[string, Error | undefined, string]>([
    ['by an end', undefined, 'it left'],
    ['by an error', new Error('reset'), 'reset'],
  ])("fails, and fires the rule's signal, when the server leaves %s", async (_, error, message) => {
    let seen: AbortSignal | undefined;
    const { stream, run } = verifying({
      authorize: (__, { signal }) => {
        seen = signal;
        return new Promise(() => undefined);
      },
    });
    const result = run();
    stream.left?.(error);
    await expect(result).rejects.toThrow(message);
    expect((seen?.reason as Error).message).toBe(message);
  });

  it("fails with the deadline's reason, also where it has already passed", async () => {
    const never = { authorize: () => new Promise<boolean>(() => undefined) };
    const late = new Error('too late');
    const first = verifying(never);
    const result = first.run();
    first.deadline.abort(late);
    await expect(result).rejects.toBe(late);
    const second = verifying(never);
    second.deadline.abort(late);
    await expect(second.run()).rejects.toBe(late);
  });

  it('reports a failing listener of the signal, and continues', async () => {
    const failure = new Error('a listener failed');
    const { stream, reported, run } = verifying({
      authorize: (_, { signal }) => {
        signal.addEventListener('abort', () => {
          throw failure;
        });
        return new Promise(() => undefined);
      },
    });
    const result = run();
    stream.left?.(undefined);
    await expect(result).rejects.toThrow('it left');
    expect(reported).toEqual([failure]);
  });
});
