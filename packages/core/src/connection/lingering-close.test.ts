import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PeerNotAllowedError, UntrustedPeerError } from '../errors/index.js';
import { Kind } from '../framing/knsock/index.js';
import { HandMadePeer, turn } from '../testing/connected-pair.js';
import { memoryPair } from '../transport/memory-pair.js';
import { endPeer, LingeringClose, refusePeer } from './lingering-close.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A stream, and a peer that doesn't end in turn. */
function pair() {
  const [stream, far] = memoryPair();
  const peer = new HandMadePeer(far);
  peer.endsInTurn = false;
  return { stream, peer };
}

describe('a lingering close', () => {
  it('ends after what was written, discards what arrives, and is over after a second', async () => {
    const { stream, peer } = pair();
    stream.write(Buffer.from([0, 0, 0, 1, Kind.CLOSE]));
    endPeer(stream);
    await turn();
    expect([peer.of('CLOSE').length, peer.ended, peer.gone]).toEqual([1, true, false]);
    peer.stream.write(Buffer.alloc(1_000_000));
    await turn();
    vi.advanceTimersByTime(999);
    await turn();
    expect(peer.stream.queuedBytes).toBe(0);
    vi.advanceTimersByTime(1);
    const heard = peer.heard.length;
    peer.stream.write(Buffer.alloc(1_000));
    await turn();
    expect(stream.bytesRead).toBe(1_000_000);
    expect(peer.heard).toHaveLength(heard);
  });

  it('is over at once when the peer ends too', async () => {
    const { stream, peer } = pair();
    endPeer(stream);
    await turn();
    peer.stream.end();
    await turn();
    expect(peer.gone).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for a peer that still takes what was written, and for one that takes nothing as long as it may', () => {
    const { stream } = pair();
    let [destroyed, bytesTaken] = [0, 0];
    stream.destroy = () => (destroyed += 1) as never;
    Object.defineProperty(stream, 'bytesTaken', { get: () => bytesTaken });
    Object.defineProperty(stream, 'isSending', { get: () => true });
    const lingering = new LingeringClose(stream, 'cut', 3_000);
    for (let second = 0; second < 10; second += 1) {
      bytesTaken += 1;
      vi.advanceTimersByTime(1_000);
    }
    vi.advanceTimersByTime(2_999);
    expect(destroyed).toBe(0);
    vi.advanceTimersByTime(1);
    expect(destroyed).toBe(1);
    lingering.over();
  });

  it('discards no more than 8 MiB', () => {
    const { stream } = pair();
    let destroyed = 0;
    stream.destroy = () => (destroyed += 1) as never;
    const lingering = new LingeringClose(stream);
    lingering.discard(Buffer.alloc(8_388_608));
    expect(destroyed).toBe(0);
    lingering.discard(Buffer.alloc(1));
    expect(destroyed).toBe(1);
    lingering.over();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a peer that is refused', () => {
  it('receives the reason before the end', async () => {
    const { stream, peer } = pair();
    refusePeer(stream, new UntrustedPeerError('expired', 0, 'it expired yesterday'));
    await turn();
    expect(peer.frames.map(({ kind }) => kind)).toEqual([Kind.REFUSED]);
    expect(peer.of('REFUSED')[0]?.body).toContain('it expired yesterday');
    expect(peer.ended).toBe(true);
  });

  it("doesn't learn what our rules require", async () => {
    const { stream, peer } = pair();
    refusePeer(stream, new PeerNotAllowedError('authorize asks for CN=admin'));
    await turn();
    expect(peer.of('REFUSED')[0]?.body).not.toContain('admin');
  });
});
