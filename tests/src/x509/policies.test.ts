import { describe, expect, it } from 'vitest';
import { verifyPathSync } from '@knsock/core/x509';
import { extension, integer, issueCa, issueServer, now, oid, sequence, type Made } from './issue.js';

const any = '2.5.29.32.0';
const gold = '1.3.6.1.4.1.55555.1';
const silver = '1.3.6.1.4.1.55555.2';

const policies = (...ids: readonly string[]): Buffer =>
  extension('2.5.29.32', sequence(...ids.map((id) => sequence(oid(id)))));
const explicitAfter = (count: number): Buffer => extension('2.5.29.36', sequence(integer(count, 0x80)), true);
const mappingAfter = (count: number): Buffer =>
  extension('2.5.29.36', sequence(integer(0, 0x80), integer(count, 0x81)), true);
const anyAfter = (count: number): Buffer => extension('2.5.29.54', integer(count), true);
const maps = (from: string, to: string): Buffer =>
  extension('2.5.29.33', sequence(sequence(oid(from), oid(to))), true);

/** The verdict on a leaf with `last` under CAs with these extensions, the root first. */
function verdict(cas: readonly (readonly Buffer[])[], last: readonly Buffer[]): string {
  const made: Made[] = [];
  cas.forEach((extensions, at) => {
    const issuer = made.at(-1);
    made.push(issueCa({ subject: `CN=CA ${at}`, ...(issuer && { issuer }), extensions }));
  });
  const leaf = issueServer({ issuer: made.at(-1) as Made, extensions: last });
  const [root, ...rest] = made.map(({ der }) => der);
  const result = verifyPathSync({
    leaf: leaf.der,
    intermediates: rest,
    anchors: [root as Buffer],
    at: now,
    usage: 'server',
  });
  return result.ok ? 'ok' : `${result.reason} at ${result.depth}`;
}

const refused = 'wrong-usage at 0';

describe('policies', () => {
  it('may be anything while nobody requires one', () => {
    expect(verdict([[], [policies(gold)]], [policies(silver)])).toBe('ok');
    expect(verdict([[], []], [])).toBe('ok');
    expect(verdict([[], [maps(gold, silver)]], [])).toBe('ok');
  });

  it('must hold all the way down where one is required', () => {
    expect(verdict([[], [explicitAfter(0), policies(gold)]], [policies(gold)])).toBe('ok');
    expect(verdict([[], [explicitAfter(0), policies(gold)]], [policies(silver)])).toBe(refused);
    expect(verdict([[], [explicitAfter(0), policies(gold)]], [])).toBe(refused);
    expect(verdict([[], [explicitAfter(0)]], [policies(gold)])).toBe(refused);
    expect(verdict([[], [explicitAfter(0), policies(any)]], [policies(silver)])).toBe('ok');
    expect(verdict([[], [explicitAfter(0), policies(gold)]], [policies(any)])).toBe('ok');
  });

  it('are required from the certificate on that the count says', () => {
    expect(verdict([[], [explicitAfter(1), policies(gold)]], [])).toBe(refused);
    expect(verdict([[], [explicitAfter(2), policies(gold)]], [])).toBe('ok');
    expect(verdict([[explicitAfter(0)], [policies(gold)]], [policies(gold)])).toBe('ok');
    expect(verdict([[explicitAfter(0)], [policies(gold)]], [])).toBe(refused);
  });

  it('may be mapped to others, unless that is forbidden', () => {
    const strict = [explicitAfter(0), policies(gold), maps(gold, silver)];
    expect(verdict([[], strict], [policies(silver)])).toBe('ok');
    expect(verdict([[], strict], [policies(gold)])).toBe(refused);
    expect(verdict([[mappingAfter(0)], [policies(gold), maps(gold, silver)]], [policies(silver)])).toBe(
      refused,
    );
  });

  it('may be any only as long as that isn’t forbidden', () => {
    expect(verdict([[], [explicitAfter(0), policies(gold), anyAfter(0)]], [policies(any)])).toBe(refused);
    expect(verdict([[], [explicitAfter(0), policies(gold), anyAfter(1)]], [policies(any)])).toBe('ok');
    expect(verdict([[anyAfter(0)], [explicitAfter(0), policies(any)]], [policies(gold)])).toBe(refused);
  });

  it('are refused where they are malformed', () => {
    expect(() => issueServer({ extensions: [policies(gold, gold)] })).toThrow('is there twice');
    expect(() => issueCa({ subject: 'CN=x', extensions: [maps(any, gold)] })).toThrow('maps any policy');
    expect(() =>
      issueCa({ subject: 'CN=x', extensions: [extension('2.5.29.36', sequence(), true)] }),
    ).toThrow('are empty');
  });
});
