/** Names for errors: which file a value came from; of `ca` and `crl` one for each value. */
export type Origins = Readonly<
  Partial<Record<'cert' | 'key' | 'pfx', string>> & Partial<Record<'ca' | 'crl', readonly string[]>>
>;
