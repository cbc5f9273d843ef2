/** Answers validations while a CA makes them: by the program's own server, or by a listener opened for them. */
import type { AcmeClient } from './acme-client.js';
import { AcmeError } from './acme-error.js';
import type { AcmeSettings } from './acme-options.js';
import { alpnCertificate } from './alpn-certificate.js';
import { listenForChallenges } from './challenge-listener.js';
import { serverNameOf } from './identifier.js';
import type { Challenge } from './order.js';
import type { PendingChallenges } from './pending-challenges.js';

interface Answering {
  readonly settings: AcmeSettings;
  readonly pending: PendingChallenges;
  readonly isServed: () => boolean;
}

/**
 * Runs `validated` while every challenge is answered.
 * @throws AcmeError `KNSOCK_ACME_LISTEN`; what `validated` throws
 */
export async function answer(
  work: Answering,
  { key }: AcmeClient,
  challenges: readonly Challenge[],
  validated: () => Promise<void>,
): Promise<void> {
  const ends: (() => void)[] = [];
  try {
    for (const { identifier, token } of challenges) {
      const authorization = key.authorization(token);
      ends.push(
        work.settings.challenge === 'http-01'
          ? work.pending.addToken(token, authorization)
          : work.pending.addCertificate(
              serverNameOf(identifier),
              await alpnCertificate(identifier, authorization),
            ),
      );
    }
    const close = challenges.length === 0 ? nothing : await listen(work);
    await validated().finally(close);
  } finally {
    for (const end of ends) end();
  }
}

async function listen({ settings, pending, isServed }: Answering): Promise<() => Promise<void>> {
  const { challenge, place, httpChallenges } = settings;
  if (httpChallenges !== undefined) return nothing;
  return listenForChallenges(challenge, place, pending).catch((error: unknown) => {
    // The port is taken: by the program's own server, which answers by `challengeFor`.
    if (challenge === 'tls-alpn-01' && isServed() && isInUse(error)) return nothing;
    throw error;
  });
}

function isInUse(error: unknown): boolean {
  return error instanceof AcmeError && (error.cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
