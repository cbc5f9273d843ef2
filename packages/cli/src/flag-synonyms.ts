/** Flags that other programs have, for what flags of ours do: curl, openssl, stunnel, ghostunnel, mkcert, step, kn-sock. */
import type { Command } from 'commander';

const skipVerification = ['--dangerously-skip-verification', '--no-verify'];

const synonyms: Readonly<Record<string, readonly string[]>> = {
  '--CAfile': ['--ca', '--cafile'],
  '--ca-file': ['--ca', '--cafile'],
  '--ca-cert': ['--ca', '--cafile'],
  '--cacert': ['--ca', '--cafile'],
  '--cafile': ['--ca'],
  '--ca': ['--cafile'],
  '--root': ['--ca'],
  '--cert-file': ['--cert', '--certfile'],
  '--certfile': ['--cert'],
  '--cert': ['--certfile'],
  '--key-file': ['--key', '--keyfile'],
  '--keyfile': ['--key'],
  '--key': ['--keyfile'],
  '--keystore': ['--pfx'],
  '--p12': ['--pfx'],
  '--pkcs12': ['--pfx'],
  '--pass': ['--passphrase-file'],
  '--passphrase': ['--passphrase-file', '--store-passphrase-file'],
  '--password': ['--passphrase-file', '--store-passphrase-file'],
  '--require-client-cert': ['--client-cert'],
  '--insecure': skipVerification,
  '--no-verify': skipVerification,
  '-k': skipVerification,
  '--sni': ['--servername'],
  '--server-name': ['--servername'],
  '--verify-hostname': ['--servername'],
  '--accept': ['--listen', '--port'],
  '--address': ['--listen', '--host'],
  '--bind': ['--listen', '--host'],
  '--listen': ['--port'],
  '--port': ['--listen'],
  '-p': ['--port', '--listen'],
  '--connect': ['--target'],
  '--proxy-protocol': ['--proxy-protocol-from', '--send-proxy'],
  '--accept-proxy': ['--proxy-protocol-from'],
  '--dns': ['--name'],
  '--san': ['--name'],
  '--cn': ['--common-name', '--allow-cn'],
  '--subject': ['--common-name'],
  '--type': ['--kind', '--key-type'],
  '--usage': ['--kind'],
  '--not-after': ['--days', '--life'],
  '--validity': ['--days', '--life'],
  '--dir': ['--store'],
  '--output': ['--out'],
  '-o': ['--out'],
};

/** How to go on after a flag that the command hasn't got; undefined where none of its own is known to be meant. */
export function synonymHint(flag: string, command: Command): string | undefined {
  const argument = command.registeredArguments.find((one) => `--${one.name()}` === flag);
  if (argument !== undefined) return `It is an argument: write it without ${flag}.`;
  const own = (Object.hasOwn(synonyms, flag) ? (synonyms[flag] ?? []) : []).find((one) =>
    command.options.some(({ long }) => long === one),
  );
  return own === undefined ? undefined : `Did you mean ${own}?`;
}
