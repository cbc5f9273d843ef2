/** Sections 4.8 to 4.12 of PKITS: certificate policies. */
import {
  no,
  ok,
  any,
  below,
  constraints,
  gold,
  inhibitAny,
  maps,
  policies,
  silver,
  type LiveRow,
} from './live-chains.js';

export const policiesCases: readonly LiveRow[] = [
  [
    '4.8',
    'one policy all the way down, which a CA requires',
    ok,
    () => below([[policies(gold), constraints(0)], [policies(gold)]], { extensions: [policies(gold)] }),
  ],
  [
    '4.8',
    'any policy all the way down, where a CA requires one',
    ok,
    () => below([[policies(any), constraints(0)]], { extensions: [policies(silver)] }),
  ],
  [
    '4.8',
    'different policies, where a CA requires one',
    no,
    () => below([[policies(gold), constraints(0)], [policies(silver)]], { extensions: [policies(gold)] }),
  ],
  [
    '4.8',
    'different policies, where nobody requires any',
    ok,
    () => below([[policies(gold)], [policies(silver)]], { extensions: [policies(gold)] }),
  ],
  ['4.9', 'no policy, where one is required only further down', ok, () => below([[constraints(5)], []])],
  ['4.9', 'no policy, where one is required here', no, () => below([[constraints(1)], []])],
  ['4.9', 'no policy, where one is required at once', no, () => below([[constraints(0)]])],
  [
    '4.10',
    'a policy that the CA maps to another',
    ok,
    () => below([[policies(gold), constraints(0), maps(gold, silver)]], { extensions: [policies(silver)] }),
  ],
  [
    '4.10',
    'the policy that the CA has mapped away',
    no,
    () => below([[policies(gold), constraints(0), maps(gold, silver)]], { extensions: [policies(gold)] }),
  ],
  [
    '4.11',
    'a mapping that is still allowed',
    ok,
    () =>
      below(
        [
          [policies(gold), constraints(0, 1)],
          [policies(gold), maps(gold, silver)],
        ],
        { extensions: [policies(silver)] },
      ),
  ],
  [
    '4.11',
    'a mapping that is inhibited',
    no,
    () =>
      below(
        [
          [policies(gold), constraints(0, 0)],
          [policies(gold), maps(gold, silver)],
        ],
        { extensions: [policies(silver)] },
      ),
  ],
  [
    '4.12',
    'any policy, which is inhibited only further down',
    ok,
    () =>
      below([[policies(gold), constraints(0), inhibitAny(1)], [policies(any)]], {
        extensions: [policies(gold)],
      }),
  ],
  [
    '4.12',
    'any policy, which is inhibited',
    no,
    () =>
      below([[policies(gold), constraints(0), inhibitAny(0)], [policies(any)]], {
        extensions: [policies(gold)],
      }),
  ],
];
