/** The `framing` option: `knsock()` unless another is given. */
import { knsock, type Framing } from '../framing/index.js';
import { having } from '../options/index.js';

/** @throws InvalidOptionError, for `lines` that should be `lines()` too */
export function parseFraming<In, Out>(framing: Framing<In, Out> | undefined): Framing<In, Out> {
  const given = having('framing', framing, 'a framing, such as lines()', ['decoder', 'encode']);
  return given ?? (knsock() as unknown as Framing<In, Out>);
}
