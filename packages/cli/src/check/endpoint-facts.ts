/** The facts about an endpoint, for programs that read the report. */
import type { EndpointEvidence } from './endpoint-evidence.js';

export interface EndpointFacts {
  /** By version, the oldest first: suites (IANA names), groups and signature algorithms. */
  readonly versions: readonly {
    readonly version: string;
    readonly suites: readonly string[];
    readonly groups: readonly string[];
    readonly signatureAlgorithms: readonly string[];
  }[];
  readonly [fact: string]: unknown;
}

export function endpointFacts({ verdict: _, versions, ...rest }: EndpointEvidence): EndpointFacts {
  return {
    ...rest,
    versions: versions.map((one) => ({ ...one, suites: one.suites.map(({ name }) => name) })),
  };
}
