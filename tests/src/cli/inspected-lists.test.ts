/** What `certs inspect` shows of revocation lists that are limited, changes to others, or not fully understood. */
import { toPem } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock } from '../support/command.js';
import {
  extension,
  generalName,
  integer,
  issueCa,
  issuingPoint,
  makeCrlDer,
  sequence,
  tlv,
} from '../x509/issue.js';

let files: CertificateFolder;
beforeAll(async () => {
  files = await createCertificateFolder();
});
afterAll(() => files[Symbol.asyncDispose]());

const issuer = issueCa({ subject: 'CN=Lists' });
const flag = (number: number) => tlv(0x80 | number, Buffer.of(0xff));
const point = tlv(0xa0, tlv(0xa0, generalName('URI:http://a.test/1.crl')));

async function shown(der: Buffer): Promise<{ text: string; item: Record<string, unknown> }> {
  const file = await files.write('list.crl', toPem('X509 CRL', der));
  const text = (await knsock(['certs', 'inspect', file])).stdout;
  const json = (await knsock(['certs', 'inspect', file, '--json'])).stdout;
  const { items } = JSON.parse(json) as { items: Record<string, unknown>[] };
  return { text, item: items[0] as Record<string, unknown> };
}

describe('certs inspect', () => {
  it('says which complete list a delta list changes', async () => {
    const base = extension('2.5.29.27', integer(7), true);
    const { text, item } = await shown(makeCrlDer({ issuer, number: 9, extensions: [base] }));
    expect(text).toMatch(/changes +a delta list: what changed since the list number 07/);
    expect(item).toMatchObject({ number: '09', deltaBase: '07' });
  });

  it('shows what a list is limited to', async () => {
    const reasons = tlv(0x83, Buffer.of(6, 0x40));
    const users = await shown(makeCrlDer({ issuer, extensions: [issuingPoint(point, flag(1), reasons)] }));
    expect(users.text).toMatch(
      /of point +URI:http:\/\/a\.test\/1\.crl\n +only +users\n +reasons +only keyCompromise\n/,
    );
    const scope = {
      points: ['URI:http://a.test/1.crl'],
      only: 'users',
      reasons: 'keyCompromise',
      indirect: false,
    };
    expect(users.item).toMatchObject({ scope });
    const authorities = await shown(makeCrlDer({ issuer, extensions: [issuingPoint(flag(2))] }));
    expect(authorities.item).toMatchObject({ scope: { points: [], only: 'authorities' } });
    const whole = await shown(makeCrlDer({ issuer }));
    expect(whole.item).not.toHaveProperty('scope');
  });

  it('names the issuer of each entry of an indirect list', async () => {
    const other = extension('2.5.29.29', sequence(generalName('dir:CN=Other')), true);
    const revoked = [
      { serial: 1, reason: 1 },
      { serial: 2, extensions: [other] },
      { serial: 3, reason: 4 },
    ];
    const { text, item } = await shown(makeCrlDer({ issuer, revoked, extensions: [issuingPoint(flag(4))] }));
    expect(text).toMatch(/indirect +entries may be certificates of other authorities/);
    expect(text).toMatch(
      / 01 2025-11-01 keyCompromise\n +02 2025-11-01 of CN=Other\n +03 2025-11-01 superseded of CN=Other\n/,
    );
    expect(item['revoked']).toMatchObject([{ serial: '01' }, { issuer: 'CN=Other' }, { issuer: 'CN=Other' }]);
    expect((item['revoked'] as object[])[0]).not.toHaveProperty('issuer');
  });

  it('shows extensions that are not understood, of the list and of entries', async () => {
    const strange = extension('1.2.3.4', Buffer.of(5, 0), true);
    const revoked = [{ serial: 1, extensions: [extension('1.2.3.5', Buffer.of(5, 0), true)] }];
    const { text, item } = await shown(makeCrlDer({ issuer, revoked, extensions: [strange] }));
    expect(text).toMatch(
      /extension +1\.2\.3\.4 \(critical\) 0500\n +extension +1\.2\.3\.5 \(critical, in an entry\)/,
    );
    expect(item).toMatchObject({
      unknownExtensions: [{ oid: '1.2.3.4', critical: true, hex: '0500' }],
      unknownInEntry: '1.2.3.5',
    });
  });
});
