/** Sections 4.13 to 4.16 of PKITS: name constraints, distribution points, delta lists, private extensions. */
import { issuingPoint, nameConstraints } from '../x509/issue.js';
import {
  no,
  ok,
  below,
  delegated,
  delta,
  deltaOf,
  fullName,
  list,
  onlyCas,
  onlyKeyCompromise,
  onlyUsers,
  own,
  point,
  pointsTo,
  revoked,
  straight,
  unknown,
  type LiveRow,
} from './live-chains.js';

export const listsCases: readonly LiveRow[] = [
  ['4.13', 'a DNS name that is permitted', ok, () => below([[nameConstraints({ permitted: ['DNS:test'] })]])],
  [
    '4.13',
    "a DNS name that isn't permitted",
    no,
    () => below([[nameConstraints({ permitted: ['DNS:b.test'] })]]),
  ],
  ['4.13', 'a DNS name that is excluded', no, () => below([[nameConstraints({ excluded: ['DNS:a.test'] })]])],
  [
    '4.13',
    'a subject that is permitted',
    ok,
    () => below([[nameConstraints({ permitted: ['dir:O=Live'] })]]),
  ],
  [
    '4.13',
    "a subject that isn't permitted",
    no,
    () => below([[nameConstraints({ permitted: ['dir:O=Other'] })]]),
  ],
  [
    '4.13',
    'a DNS name that one CA permits and the next excludes',
    no,
    () =>
      below([
        [nameConstraints({ permitted: ['DNS:test'] })],
        [nameConstraints({ excluded: ['DNS:a.test'] })],
      ]),
  ],
  [
    '4.13',
    'an address beside a permitted name, excluded',
    no,
    () =>
      below([[nameConstraints({ permitted: ['DNS:test'], excluded: ['IP:0000000000000000'] })]], {
        names: ['DNS:a.test', 'IP:7f000001'],
      }),
  ],
  [
    '4.14',
    'a list of the named distribution point',
    ok,
    () =>
      own((_leaf, between) => [list(between, { extensions: [issuingPoint(fullName(point))] })], {
        extensions: [pointsTo(point)],
      }),
  ],
  [
    '4.14',
    'a list of another distribution point',
    no,
    () =>
      own((_leaf, between) => [list(between, { extensions: [issuingPoint(fullName(`${point}2`))] })], {
        extensions: [pointsTo(point)],
      }),
  ],
  [
    '4.14',
    'a list of the named distribution point that revokes',
    no,
    () =>
      own(
        (leaf, between) => [
          list(between, { extensions: [issuingPoint(fullName(point))], revoked: [revoked(leaf)] }),
        ],
        { extensions: [pointsTo(point)] },
      ),
  ],
  [
    '4.14',
    'a list for users',
    ok,
    () => own((_leaf, between) => [list(between, { extensions: [issuingPoint(onlyUsers)] })]),
  ],
  [
    '4.14',
    'a list for CAs alone',
    no,
    () => own((_leaf, between) => [list(between, { extensions: [issuingPoint(onlyCas)] })]),
  ],
  [
    '4.14',
    'a list for some reasons alone',
    no,
    () => own((_leaf, between) => [list(between, { extensions: [issuingPoint(onlyKeyCompromise)] })]),
  ],
  ['4.14', 'an indirect list', ok, () => delegated(false)],
  ['4.14', 'an indirect list that revokes', no, () => delegated(true)],
  [
    '4.15',
    'a delta list that revokes nothing',
    ok,
    () =>
      own(
        (_leaf, between) => [
          list(between, { number: 4 }),
          list(between, { number: 5, extensions: [deltaOf(4)] }),
        ],
        delta,
      ),
  ],
  [
    '4.15',
    'a delta list that revokes',
    no,
    () =>
      own(
        (leaf, between) => [
          list(between, { number: 4 }),
          list(between, { number: 5, extensions: [deltaOf(4)], revoked: [revoked(leaf, 1)] }),
        ],
        delta,
      ),
  ],
  [
    '4.15',
    'a delta list that lifts a hold',
    ok,
    () =>
      own(
        (leaf, between) => [
          list(between, { number: 4, revoked: [revoked(leaf, 6)] }),
          list(between, { number: 5, extensions: [deltaOf(4)], revoked: [revoked(leaf, 8)] }),
        ],
        delta,
      ),
  ],
  [
    '4.15',
    'a delta list without the complete one',
    no,
    () => own((_leaf, between) => [list(between, { number: 5, extensions: [deltaOf(4)] })], delta),
  ],
  ['4.16', 'an unknown extension', ok, () => straight({ extensions: [unknown(false)] })],
  ['4.16', 'an unknown critical extension', no, () => straight({ extensions: [unknown(true)] })],
  [
    '4.16',
    'an unknown critical extension of the CA',
    no,
    () => straight({}, { extensions: [unknown(true)] }),
  ],
];
