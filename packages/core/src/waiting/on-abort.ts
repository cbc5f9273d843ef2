/**
 * Followers of abort signals, all of a signal behind one listener. Programs pass one signal (that of a shutdown, or of
 * the request they serve) to many calls at once, and with a listener for each, Node would warn of a leak from the
 * eleventh on.
 */
interface Followers {
  readonly all: Set<() => void>;
  readonly fire: () => void;
}

const followed = new WeakMap<AbortSignal, Followers>();

type MaybeSignal = AbortSignal | null | undefined;

/** Calls `follower`, which doesn't throw, when the signal fires; no signal, and one that fired before, call nobody. */
export function onAbort(signal: MaybeSignal, follower: () => void): void {
  if (signal) (followed.get(signal) ?? follow(signal)).all.add(follower);
}

/** Undoes `onAbort`. */
export function offAbort(signal: MaybeSignal, follower: () => void): void {
  if (!signal) return;
  const followers = followed.get(signal);
  if (followers?.all.delete(follower) !== true || followers.all.size > 0) return;
  followed.delete(signal);
  signal.removeEventListener('abort', followers.fire);
}

function follow(signal: AbortSignal): Followers {
  const all = new Set<() => void>();
  const fire = (): void => {
    // One that an earlier one takes out meanwhile is not called.
    for (const follower of all) if (all.delete(follower)) follower();
    followed.delete(signal);
  };
  const followers = { all, fire };
  followed.set(signal, followers);
  signal.addEventListener('abort', fire, { once: true });
  return followers;
}
