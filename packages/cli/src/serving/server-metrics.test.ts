import { describe, expect, it } from 'vitest';
import { prometheusOf } from './server-metrics.js';

describe('metrics of a server', () => {
  it("have names, help and types in Prometheus' format", () => {
    expect(prometheusOf({ connections: 2, accepted: 5, refusedSockets: { rate: 1, perAddress: 0 } })).toBe(
      [
        '# HELP knsock_server_connections Connections open now.',
        '# TYPE knsock_server_connections gauge',
        'knsock_server_connections 2',
        '# HELP knsock_server_accepted_total Sockets accepted.',
        '# TYPE knsock_server_accepted_total counter',
        'knsock_server_accepted_total 5',
        '# HELP knsock_server_refused_sockets_total Sockets refused before their handshake.',
        '# TYPE knsock_server_refused_sockets_total counter',
        'knsock_server_refused_sockets_total{reason="rate"} 1',
        'knsock_server_refused_sockets_total{reason="per_address"} 0',
        '',
      ].join('\n'),
    );
  });

  it('give dates as seconds, and omit unknown values', () => {
    expect(prometheusOf({ certificatesExpireAt: new Date(90_000) })).toContain(
      '\nknsock_server_certificates_expire_at_seconds 90\n',
    );
    expect(prometheusOf({ certificatesExpireAt: null })).toBe('');
  });

  it('follow the same rules for a new counter', () => {
    expect(prometheusOf({ brandNew: 1 })).toBe(
      '# HELP knsock_server_brand_new_total Brand new.\n# TYPE knsock_server_brand_new_total counter\nknsock_server_brand_new_total 1\n',
    );
  });
});
