/** What was in a file; PEM. */
export interface Pkcs12Parts {
  /** PKCS#8, in the clear. */
  readonly key: string;
  /** The key’s own. */
  readonly certificate: string;
  /** Leaf first, then its issuers as far as the file has them. */
  readonly chain: string;
}
