/** The files that the package's exports lead to, and what each is made of. */
export const entries: Record<string, string> = {
  index: 'index.ts',
  errors: 'errors/index.ts',
  framing: 'framing/index.ts',
  http: 'http/index.ts',
  'kn-sock': 'kn-sock.ts',
  options: 'options/index.ts',
  'sync-worker': 'sync/worker.ts',
  x509: 'x509/index.ts',
  testing: 'testing/index.ts',
};
