import { describe, expect, it } from 'vitest';
import { verifyPathSync, type VerifyOptions } from '@knsock/core/x509';
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
function verdict(
  cas: readonly (readonly Buffer[])[],
  last: readonly Buffer[],
  asked?: VerifyOptions['policies'],
): string {
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
    policies: asked,
  });
  return result.ok ? 'ok' : `${result.reason} at ${result.position}`;
}

const refused = 'wrong-usage at 1';

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

  it("may be any only as long as that isn't forbidden", () => {
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

describe('policies that the caller asks for', () => {
  const judged = (
    cas: readonly (readonly Buffer[])[],
    last: readonly Buffer[],
    asked: NonNullable<VerifyOptions['policies']>,
  ) => verdict(cas, last, asked);
  const under = (...ids: readonly string[]) => [[], [policies(...ids)]];

  it('are held by a path that has one of them all the way down', () => {
    const wanted = { initialSet: [gold], requireExplicit: true };
    expect(judged(under(gold), [policies(gold)], wanted)).toBe('ok');
    expect(judged(under(gold, silver), [policies(silver)], wanted)).toBe(refused);
    expect(judged(under(any), [policies(gold)], wanted)).toBe('ok');
    expect(judged(under(any), [policies(any)], wanted)).toBe('ok');
    expect(judged(under(any), [policies(silver)], wanted)).toBe(refused);
    expect(judged(under(gold), [], wanted)).toMatch(/^wrong-usage/);
  });

  it('matter only where an explicit policy is required, by the caller or a CA', () => {
    expect(judged(under(silver), [policies(silver)], { initialSet: [gold] })).toBe('ok');
    const requiring = [[], [explicitAfter(0), policies(silver)]];
    expect(judged(requiring, [policies(silver)], { initialSet: [gold] })).toBe(refused);
    expect(judged(requiring, [policies(silver)], { initialSet: [gold, silver] })).toBe('ok');
  });

  it("are those of the anchor's domain, from which others are mapped", () => {
    const mapping = [[], [policies(gold), maps(gold, silver)]];
    expect(judged(mapping, [policies(silver)], { initialSet: [gold], requireExplicit: true })).toBe('ok');
    expect(judged(mapping, [policies(silver)], { initialSet: [silver], requireExplicit: true })).toBe(
      refused,
    );
    const inhibited = { initialSet: [gold], requireExplicit: true, inhibitMapping: true };
    expect(judged(mapping, [policies(silver)], inhibited)).toBe(refused);
  });

  it('may leave anyPolicy out', () => {
    const wanted = { requireExplicit: true, inhibitAny: true };
    expect(judged(under(gold), [policies(any)], wanted)).toBe(refused);
    expect(judged(under(gold), [policies(gold)], wanted)).toBe('ok');
  });

  it("are processed from constraints that aren't critical as from others", () => {
    const loose = extension('2.5.29.36', sequence(integer(0, 0x80)));
    expect(verdict([[], [loose, policies(gold)]], [policies(gold)])).toBe('ok');
    expect(verdict([[], [loose, policies(gold)]], [policies(silver)])).toBe(refused);
  });
});
