/** Sections 4.1 to 4.7 of PKITS: signatures, dates, names, basic revocation, self-issued certificates, basic constraints, key usage. */
import { basicConstraints, keyUsage, issue } from '../x509/issue.js';
import {
  no,
  ok,
  authority,
  damaged,
  dates,
  endEntity,
  inDays,
  list,
  listed,
  own,
  revoked,
  rolledOver,
  root,
  straight,
  unknown,
  type LiveRow,
} from './live-chains.js';

export const pathsCases: readonly LiveRow[] = [
  ['4.1', 'good signatures', ok, () => straight()],
  [
    '4.1',
    'a bad signature of the CA',
    no,
    () => {
      const { anchor, shown } = straight();
      return { anchor, shown: [shown[0]!, damaged(shown[1]!)] };
    },
  ],
  [
    '4.1',
    'a bad signature of the end entity',
    no,
    () => {
      const { anchor, shown } = straight();
      return { anchor, shown: [damaged(shown[0]!), shown[1]!] };
    },
  ],
  [
    '4.2',
    'dates in the generalized form, after 2050',
    ok,
    () => straight({ notAfter: '2051-01-01T00:00:00Z' }),
  ],
  ['4.2', 'an end entity that has expired', no, () => straight({ notAfter: inDays(-1) })],
  ['4.2', "an end entity that isn't valid yet", no, () => straight({ notBefore: inDays(1) })],
  ['4.2', 'a CA that has expired', no, () => straight({}, { notAfter: inDays(-1) })],
  ['4.2', "a CA that isn't valid yet", no, () => straight({}, { notBefore: inDays(1) })],
  [
    '4.3',
    'names that differ in case and spaces',
    ok,
    () => {
      const { anchor, shown } = straight();
      const between = shown[1]!;
      return { anchor, shown: [endEntity({ ...between, subject: 'CN= bETWEEN  ' }), between] };
    },
  ],
  [
    '4.3',
    'an issuer of another name',
    no,
    () => {
      const { anchor, shown } = straight();
      const between = shown[1]!;
      return { anchor, shown: [endEntity({ ...between, subject: 'CN=Other' }), between] };
    },
  ],
  ['4.4', 'lists that revoke nothing', ok, () => own((_leaf, between) => [list(between)])],
  ['4.4', 'no list of the CA', no, () => own(() => [])],
  [
    '4.4',
    'a revoked CA',
    no,
    () => listed(({ anchor, between }) => [list(anchor, { revoked: [revoked(between)] }), list(between)]),
  ],
  [
    '4.4',
    'a revoked end entity',
    no,
    () => own((leaf, between) => [list(between, { revoked: [revoked(leaf)] })]),
  ],
  [
    '4.4',
    'a list with a bad signature',
    no,
    () =>
      own((_leaf, between) => {
        const bad = list(between);
        bad[bad.length - 1]! ^= 1;
        return [bad];
      }),
  ],
  [
    '4.4',
    'a list of another CA',
    no,
    () => own((_leaf, between) => [list({ ...between, subject: 'CN=Other' })]),
  ],
  [
    '4.4',
    'a list that is overdue',
    no,
    () => own((_leaf, between) => [list(between, { nextUpdate: inDays(-0.5) })]),
  ],
  [
    '4.4',
    'a list of the future',
    no,
    () => own((_leaf, between) => [list(between, { thisUpdate: inDays(0.5) })]),
  ],
  [
    '4.4',
    'a list with an unknown critical extension',
    no,
    () => own((_leaf, between) => [list(between, { extensions: [unknown(true)] })]),
  ],
  [
    '4.4',
    "a list with an entry of another's with an unknown critical extension",
    no,
    () =>
      own((_leaf, between) => [
        list(between, { revoked: [{ serial: 99, date: inDays(-2), extensions: [unknown(true)] }] }),
      ]),
  ],
  ['4.5', 'a new key of the CA, certified by the old', ok, () => rolledOver(false)],
  ['4.5', 'an end entity that the new key revokes', no, () => rolledOver(true)],
  [
    '4.5',
    'a new key of the CA, certified by nobody',
    no,
    () => {
      const { anchor, shown } = rolledOver(false);
      return { anchor, shown: [shown[0]!, shown[2]!] };
    },
  ],
  ['4.6', 'a path as long as its CA allows', ok, () => straight({}, { pathLength: 0 })],
  [
    '4.6',
    'a path that is longer than its CA allows',
    no,
    () => {
      const anchor = root();
      const one = authority('CN=One', anchor, { pathLength: 0 });
      const two = authority('CN=Two', one);
      return { anchor, shown: [endEntity(two), two, one] };
    },
  ],
  [
    '4.6',
    'a path that is longer by a self-issued certificate, which counts for nothing',
    ok,
    () => {
      const anchor = root();
      const one = authority('CN=One', anchor, { pathLength: 0 });
      const again = authority('CN=One', one);
      return { anchor, shown: [endEntity(again), again, one] };
    },
  ],
  [
    '4.6',
    'a CA without basic constraints',
    no,
    () => {
      const anchor = root();
      const between = issue({
        ...dates,
        subject: 'CN=Between',
        issuer: anchor,
        extensions: [keyUsage(5, 6)],
      });
      return { anchor, shown: [endEntity(between), between] };
    },
  ],
  [
    '4.6',
    'a CA whose basic constraints say that it is none',
    no,
    () => {
      const anchor = root();
      const extensions = [basicConstraints(false), keyUsage(5, 6)];
      const between = issue({ ...dates, subject: 'CN=Between', issuer: anchor, extensions });
      return { anchor, shown: [endEntity(between), between] };
    },
  ],
  ['4.7', 'a CA without a key usage', ok, () => straight({}, { usage: [] })],
  ['4.7', 'a CA that may not sign certificates', no, () => straight({}, { usage: [6] })],
  [
    '4.7',
    'a CA that may not sign lists',
    no,
    () => listed(({ anchor, between }) => [list(anchor), list(between)], {}, { usage: [5] }),
  ],
];
