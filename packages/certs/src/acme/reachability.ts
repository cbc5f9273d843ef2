/** Where a CA must be able to connect to for a validation, in words. */
import { challengePorts, type AcmeChallengeType } from './challenge-listener.js';

/** A validation: of which names, and where it is answered. */
export interface Validation {
  /** As text. */
  readonly names: string;
  readonly challenge: AcmeChallengeType;
  /** The port of this machine; undefined where an HTTP server of the program answers. */
  readonly port: number | undefined;
}

/** What has to be so, as a sentence: which port, from where, and to what it leads. */
export function neededWay({ names, challenge, port }: Validation): string {
  const open = challengePorts[challenge];
  const way = `port ${open} of ${names} must be reachable from the CA`;
  if (port === open) return `${way}, and lead to this machine`;
  return `${way}, and lead to ${port === undefined ? "the program's HTTP server" : `port ${port} of this machine`}`;
}

/** What to do where it isn't so. */
export function openTheWay({ challenge, port }: Validation): string {
  const open = challengePorts[challenge];
  const flag = challenge === 'http-01' ? '--acme-http-port' : '--port';
  const given =
    port === undefined
      ? 'Forward it to the server that answers from httpChallenges'
      : `Forward it here, or give the port to which it leads as listen.port (the command: ${flag})`;
  return `Open port ${open} at every A and AAAA record of the name, in every firewall. ${given}. A CA of your own may be set to another port than ${open}.`;
}
