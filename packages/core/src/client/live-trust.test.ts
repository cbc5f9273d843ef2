import { describe, expect, it, vi } from 'vitest';
import type { Connection } from '../connection/connection.js';
import type { ClosedInfo } from '../connection/connection-types.js';
import { createCredentials, type Credentials } from '../credentials/credentials.js';
import { PeerVerifier } from '../trust/peer-verifier.js';
import type { RevocationSource, RevocationVerdict } from '../trust/revocation.js';
import { parseConnect, type ConnectOptions } from './config.js';
import { LiveTrust } from './live-trust.js';

/** A source that changes when a test triggers it. */
class Changing {
  readonly listeners = new Set<() => void>();

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  change(): void {
    for (const listener of this.listeners) listener();
  }
}

class Source extends Changing {
  current: Credentials = createCredentials({});
}

class Lists extends Changing implements RevocationSource {
  readonly version = '1';

  check(): RevocationVerdict {
    return { status: 'good', position: 1 };
  }
}

/** The part of a connection that is followed: its server showed no certificate. */
class Live {
  readonly peer = null;
  readonly remote = null;
  readonly path = null;
  readonly failures: Error[] = [];
  readonly closed: Promise<ClosedInfo>;
  end!: () => void;

  constructor() {
    this.closed = new Promise((resolve) => {
      this.end = () => {
        resolve({ clean: true });
      };
    });
  }

  fail(error: Error): void {
    this.failures.push(error);
  }

  destroy(error: Error): void {
    this.failures.push(error);
  }
}

function following(options: Partial<ConnectOptions> = {}) {
  const source = new Source();
  const errors: unknown[] = [];
  const live = new Live();
  const config = parseConnect({
    port: 1,
    credentials: source,
    onError: (error: Error) => errors.push(error),
    ...options,
  } as ConnectOptions);
  const begin = (reach: typeof config = config): LiveTrust<unknown, unknown> =>
    new LiveTrust(reach, new PeerVerifier());
  const follow = (reach?: typeof config, trust = begin(reach)): Promise<void> =>
    trust.follow(live as unknown as Connection<unknown, unknown>);
  return { source, errors, live, config, begin, follow };
}

describe('a live server', () => {
  it('is verified again when credentials change, and ends where it is no longer trusted', async () => {
    const { source, live, follow } = following();
    await follow();
    expect(live.failures).toEqual([]);
    source.change();
    expect(live.failures).toMatchObject([{ reason: 'no-certificate' }]);
  });

  it('is verified again when what is revoked changes', async () => {
    const revocation = new Lists();
    const { live, follow } = following({ revocation });
    await follow();
    revocation.change();
    expect(live.failures).toHaveLength(1);
  });

  it('is verified again at once where credentials changed during its handshake', async () => {
    const { source, live, follow } = following();
    source.current = createCredentials({});
    await expect(follow()).rejects.toMatchObject({ reason: 'no-certificate' });
    expect(live.failures).toHaveLength(1);
  });

  it('is verified again at once where what is revoked changed during its handshake', async () => {
    const revocation = new Lists();
    const { live, begin, follow } = following({ revocation });
    const trust = begin();
    revocation.change();
    expect(live.failures).toEqual([]);
    await expect(follow(undefined, trust)).rejects.toMatchObject({ reason: 'no-certificate' });
    expect(live.failures).toHaveLength(1);
  });

  it('that was never connected is followed no further', () => {
    const { source, begin } = following();
    const trust = begin();
    expect(source.listeners.size).toBe(1);
    trust.stop();
    expect(source.listeners.size).toBe(0);
  });

  it('is no longer followed once it is gone', async () => {
    const revocation = new Lists();
    const { source, live, follow } = following({ revocation });
    await follow();
    expect([source.listeners.size, revocation.listeners.size]).toEqual([1, 1]);
    live.end();
    await vi.waitFor(() => {
      expect([source.listeners.size, revocation.listeners.size]).toEqual([0, 0]);
    });
  });

  it("keeps the policy that verified it where new credentials can't be used, which is reported", async () => {
    const { source, errors, live, config, follow } = following();
    const failure = new Error("these can't be");
    await follow({
      ...config,
      trustWith: () => {
        throw failure;
      },
    });
    source.change();
    expect(live.failures).toEqual([]);
    expect(errors).toEqual([failure]);
  });
});
