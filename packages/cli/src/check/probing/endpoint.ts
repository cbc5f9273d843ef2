/** A server to be checked. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly servername: string | undefined;
  /** The longest that one question may take, in milliseconds. */
  readonly timeout: number;
}
