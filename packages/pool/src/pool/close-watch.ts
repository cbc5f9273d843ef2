import { CLOSE_PATIENCE, warnOfClose } from '@knsock/core/options';
import type { Timer } from '../clock.js';
import type { PoolConfig } from './config.js';

/** Warns where a close waits for what is lent: within `use()` it waits for itself. @param deadline milliseconds */
export function watchClose(
  { clock, name }: Pick<PoolConfig, 'clock' | 'name'>,
  deadline: number,
  slots: { readonly active: number },
): Timer {
  return clock.after(CLOSE_PATIENCE, () => {
    const { active } = slots;
    const what = active === 1 ? '1 that is lent' : `${active} that are lent`;
    if (active > 0 && deadline > CLOSE_PATIENCE) warnOfClose(`close() of ${name}`, what);
  });
}
