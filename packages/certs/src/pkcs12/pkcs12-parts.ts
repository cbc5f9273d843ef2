/** What was in a file; PEM. */
export interface Pkcs12Parts {
  readonly key: string;
  readonly certificate: string;
  /** Leaf first, then its issuers as far as the file has them. */
  readonly chain: string;
}
