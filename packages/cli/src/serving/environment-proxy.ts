/** The proxy that the environment names for a URL, as curl and most tools read it. */
type Environment = Readonly<Record<string, string | undefined>>;

/** @returns the proxy's URL; undefined where the host is to be reached directly */
export function environmentProxy(target: string, environment: Environment): string | undefined {
  // The lower-case form takes precedence, as in curl.
  const proxy = environment['https_proxy'] ?? environment['HTTPS_PROXY'] ?? '';
  if (proxy === '' || !URL.canParse(target)) return undefined;
  const { hostname, port } = new URL(target);
  const exceptions = (environment['no_proxy'] ?? environment['NO_PROXY'] ?? '').split(/[\s,]+/);
  if (exceptions.some((exception) => covers(exception, hostname, port === '' ? '443' : port)))
    return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** `*`, a name with all below it, an address; with or without a port. */
function covers(exception: string, hostname: string, port: string): boolean {
  if (exception === '*') return true;
  const [, name = '', only] =
    /^(\[[^\]]+\]|[^:]*|[^:]*:.*:.*?)(?::(\d+))?$/.exec(exception.toLowerCase()) ?? [];
  if (only !== undefined && only !== port) return false;
  const base = name.replace(/^\*?\./, '').replace(/^\[|\]$/g, '');
  const host = hostname.replace(/^\[|\]$/g, '');
  return base !== '' && (host === base || host.endsWith(`.${base}`));
}
