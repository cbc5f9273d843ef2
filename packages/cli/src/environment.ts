/** Environment variables that aren't substitutes for options. */
export const environment: Readonly<Record<string, string>> = {
  KNSOCK_PASSPHRASE:
    'passphrase of --key, --pfx and the files that certs commands read; --passphrase-file takes precedence',
  KNSOCK_STORE_PASSPHRASE: "passphrase of the authorities' keys; --store-passphrase-file takes precedence",
  KNSOCK_TOKEN: 'enrolment token for certs enroll; --token-file takes precedence',
  KNSOCK_DEV_DIR: 'directory for the certificates of serve --dev',
  XDG_DATA_HOME: "the user's data directory, used by serve --dev (default: ~/.local/share)",
  XDG_CACHE_HOME:
    "the user's cache directory, for the compile cache of send and lists that --crl fetched (default: ~/.cache)",
  CACHE_DIRECTORY:
    'the cache directory that systemd gives a service (CacheDirectory=), for lists that --crl fetched',
  HTTPS_PROXY:
    'HTTP proxy (http: or https:) for requests to the directory of --acme (also https_proxy); --acme-proxy takes precedence',
  NO_PROXY:
    'names, addresses and networks that are reached without that proxy, separated by commas (also no_proxy)',
  NODE_DISABLE_COMPILE_CACHE: 'disable the compile cache',
  NO_COLOR: 'if not empty: no colours',
  FORCE_COLOR: 'colours even if the output is not a terminal; NO_COLOR takes precedence',
  TERM: 'dumb: no colours, no status line, no progress bar, no line editing',
  NODE_EXTRA_CA_CERTS: 'CA certificates that Node adds to its own, used by send without --ca',
};
