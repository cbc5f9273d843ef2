/** What decides trust on a listener and may change while it runs. */
import type { Credentials } from '../credentials/credentials.js';
import { followChanges, toSource, type CredentialSource } from '../credentials/source.js';
import { noConnection, type FailureReporter } from '../errors/failure-reporter.js';
import type { TrustOptions } from '../trust/trust-policy.js';

/** Whether clients must show a certificate: not requested, verified where one is shown, or required. */
export type ClientCertificates = 'none' | 'request' | 'require';

/** One name's credentials and rules; what is left out is taken from the default. */
export interface SniEntry {
  /** The certificate for that name, and the CAs to trust. */
  readonly credentials: Credentials | CredentialSource;
  /** Default: as the server's. */
  readonly clientCertificates?: ClientCertificates | undefined;
  /** Default: as the server's. */
  readonly authorize?: TrustOptions['authorize'];
}

/** Credentials by the name that the client requests; `*.` as first label stands for any one label. */
export type SniMap = Readonly<Record<string, SniEntry>>;

/** What may change while a server runs. */
export interface TrustState {
  readonly source: CredentialSource;
  readonly sni: SniMap;
  readonly trust: TrustOptions;
}

/** Calls `changed` when one of the sources has new credentials, or a revocation source changed. */
export function followSources(
  { source, sni, trust }: TrustState,
  changed: () => void,
  failures: FailureReporter,
): () => void {
  const credentials = [
    source,
    ...Object.values(sni).map(({ credentials }) => toSource(credentials, source.current)),
  ];
  const sources = trust.revocation === undefined ? credentials : [...credentials, trust.revocation];
  return followChanges(sources, changed, failures, noConnection);
}
