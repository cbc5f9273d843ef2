import { describe, expect, it, vi } from 'vitest';
import type { Connection } from '../connection/connection.js';
import type { ClosedInfo } from '../connection/connection-types.js';
import { createCredentials, type Credentials } from '../credentials/credentials.js';
import { PeerVerifier } from '../trust/peer-verifier.js';
import type { RevocationSource, RevocationVerdict } from '../trust/revocation.js';
import { parseConnect, type ConnectOptions } from './config.js';
import { followTrust } from './live-trust.js';

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
    return { status: 'good', depth: 0 };
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
  const follow = (policy = config.trust, reach: typeof config = config): void => {
    followTrust(live as unknown as Connection<unknown, unknown>, reach as never, policy, new PeerVerifier());
  };
  return { source, errors, live, config, follow };
}

describe('a live server', () => {
  it('is verified again when credentials change, and ends where it is no longer trusted', () => {
    const { source, live, follow } = following();
    follow();
    expect(live.failures).toEqual([]);
    source.change();
    expect(live.failures).toMatchObject([{ reason: 'missing' }]);
  });

  it('is verified again when what is revoked changes', () => {
    const revocation = new Lists();
    const { live, follow } = following({ revocation });
    follow();
    revocation.change();
    expect(live.failures).toHaveLength(1);
  });

  it('is verified again at once where credentials changed during its handshake', () => {
    const { source, live, follow } = following();
    source.current = createCredentials({});
    follow();
    expect(live.failures).toHaveLength(1);
  });

  it('is no longer followed once it is gone', async () => {
    const revocation = new Lists();
    const { source, live, follow } = following({ revocation });
    follow();
    expect([source.listeners.size, revocation.listeners.size]).toEqual([1, 1]);
    live.end();
    await vi.waitFor(() => {
      expect([source.listeners.size, revocation.listeners.size]).toEqual([0, 0]);
    });
  });

  it("keeps the policy that verified it where new credentials can't be used, which is reported", () => {
    const { source, errors, live, config, follow } = following();
    const failure = new Error("these can't be");
    follow(config.trust, {
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
