/** Expiry dates as metrics, in Prometheus' text format 0.0.4. */
import { printable } from '@knsock/core/errors';
import type { CertificateExpiry, CrlExpiry, Expiry } from './expiry.js';

/**
 * Metrics of what `checkExpiry` found; all times are seconds since 1970.
 * Alert on `knsock_certificate_not_after_seconds - time() < 14 * 86400`, and on `knsock_certificate_readable == 0`.
 */
export function prometheusText(results: readonly Expiry[]): string {
  const certificates = results.filter((result) => result.type === 'certificate');
  const lists = results.filter((result) => result.type === 'crl');
  const sources = new Map(results.map(({ source, type }) => [source, type !== 'unreadable']));
  return [
    ...metric(
      'knsock_certificate_not_before_seconds',
      'When the certificate starts to be valid.',
      certificates.map((one) => [certificateLabels(one), seconds(one.notBefore)]),
    ),
    ...metric(
      'knsock_certificate_not_after_seconds',
      'When the certificate expires.',
      certificates.map((one) => [certificateLabels(one), seconds(one.notAfter)]),
    ),
    ...metric(
      'knsock_crl_this_update_seconds',
      'When the revocation list was made.',
      lists.map((one) => [crlLabels(one), seconds(one.thisUpdate)]),
    ),
    ...metric(
      'knsock_crl_next_update_seconds',
      "When the revocation list is stale; 0: it doesn't say.",
      lists.map((one) => [crlLabels(one), seconds(one.nextUpdate)]),
    ),
    ...metric(
      'knsock_certificate_readable',
      'Whether the file or server could be read.',
      [...sources].map(([source, readable]) => [{ source }, Number(readable)]),
    ),
    '',
  ].join('\n');
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

function metric(name: string, help: string, samples: readonly Sample[]): string[] {
  // A series must not appear twice: one file may contain the same certificate twice.
  const lines = new Map(samples.map(([labels, value]) => [`${name}{${showLabels(labels)}}`, value]));
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...[...lines].map(([series, value]) => `${series} ${value}`),
  ];
}

function certificateLabels({ source, subject, serial }: CertificateExpiry): Record<string, string> {
  return { source, subject, serial };
}

function crlLabels({ source, issuer }: CrlExpiry): Record<string, string> {
  return { source, issuer };
}

function showLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(',');
}

function escapeLabel(value: string): string {
  return printable(value).replace(/\\/g, '\\\\').replace(/"/g, '\\"');
}

function seconds(date: Date | undefined): number {
  return date === undefined ? 0 : date.getTime() / 1_000;
}
