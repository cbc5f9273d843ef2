/** The contents of a file; PEM. */
export interface Pkcs12Parts {
  /** PKCS#8, unencrypted. */
  readonly key: string;
  /** The key's own certificate. */
  readonly certificate: string;
  /** Leaf first, then its issuers as far as the file contains them. */
  readonly chain: string;
}
