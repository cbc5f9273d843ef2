/** The output of `-v`: the peer, and the negotiated parameters. */
import type { SecureConnection } from '@knsock/core';
import { printable } from '@knsock/core/errors';
import type { Output } from '../output.js';

export async function showFacts({ peer, tls, remote }: SecureConnection, output: Output): Promise<void> {
  if (output.manner.json) {
    const server = peer && {
      subject: peer.subject,
      issuer: peer.issuer,
      notAfter: peer.notAfter,
      pin: peer.spkiPin,
    };
    await output.record({ event: 'connected', remote, server, tls });
    return;
  }
  const details = [tls.version, tls.cipher, tls.group, tls.alpn].filter((detail) => detail !== null);
  const facts = {
    server: peer?.subject ?? '(not verified)',
    ...(peer !== null && {
      issuer: peer.issuer,
      names: [...peer.dnsNames, ...peer.ipAddresses, ...peer.uris].join(', '),
      valid: `until ${peer.notAfter.toISOString()}`,
      pin: peer.spkiPin,
    }),
    tls: details.join(', '),
  };
  for (const [name, value] of Object.entries(facts)) {
    output.say(`${output.colors.dim(`${name}:`.padEnd(8))} ${printable(value)}`);
  }
}
