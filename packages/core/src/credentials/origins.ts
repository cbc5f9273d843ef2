/** Names for errors: which file a value came from. */
export type Origins = Readonly<Partial<Record<'cert' | 'key' | 'ca' | 'crl' | 'pfx', string>>>;
