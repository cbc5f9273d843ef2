/** What the command reads from its environment beside the variables that stand in for options. */
export const environment: Readonly<Record<string, string>> = {
  KNSOCK_PASSPHRASE: 'the passphrase of --key, --pfx or what certs commands open; --passphrase-file wins',
  KNSOCK_STORE_PASSPHRASE: 'the passphrase of the authorities’ keys; --store-passphrase-file wins',
  KNSOCK_DEV_DIR: 'where serve --dev keeps its certificates',
  XDG_DATA_HOME: 'where a user’s data is kept, for serve --dev (default: ~/.local/share)',
  XDG_CACHE_HOME: 'where what V8 made of send is kept, to start sooner (default: ~/.cache)',
  NODE_DISABLE_COMPILE_CACHE: 'keep no such thing',
  NO_COLOR: 'no colours, whatever it says, unless it is empty',
  FORCE_COLOR: 'colours even where nobody looks; NO_COLOR wins',
  TERM: 'dumb: no colours, no status line, no progress bar, no line editing',
  NODE_EXTRA_CA_CERTS: 'CAs that Node adds to its own, for send without --ca',
};
