/** Failed handshakes and refused peers, published at a limited rate: a scan must not flood the subscribers. */
import { explain } from '../errors/index.js';
import { nameAddress } from '../errors/name-address.js';
import { channels } from '../observe/channels.js';
import { TokenBucket } from '../policy/rate.js';

const PER_SECOND = 10;

export class HandshakeFailures {
  readonly #bucket = new TokenBucket(PER_SECOND, PER_SECOND, performance.now());
  #suppressed = 0;

  publish(address: string, error: Error): void {
    if (!channels.failure.hasSubscribers) return;
    if (!this.#bucket.take(performance.now())) {
      this.#suppressed += 1;
      return;
    }
    channels.failure.publish({
      address,
      error: nameAddress(error, address),
      explanation: explain(error),
      suppressed: this.#suppressed,
    });
    this.#suppressed = 0;
  }
}
