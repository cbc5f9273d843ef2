/** A server to be checked. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly servername: string | undefined;
  /** Timeout of one probe, in milliseconds. */
  readonly timeout: number;
}
