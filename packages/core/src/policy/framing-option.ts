/** The `framing` option: `knsock()` unless another is given. */
import { knsock, type Framing } from '../framing/index.js';
import { checkFraming } from '../framing/check-framing.js';

/** @throws InvalidOptionError, for `lines` that should be `lines()` too */
export function parseFraming<In, Out>(framing: Framing<In, Out> | undefined): Framing<In, Out> {
  if (framing === undefined) return knsock() as unknown as Framing<In, Out>;
  checkFraming(framing);
  return framing;
}
