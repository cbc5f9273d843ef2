/**
 * Signals that the library gives to programs. Node ends the process where a listener of an AbortSignal throws or rejects;
 * listeners of these are reported like any other callback.
 */
import { follow, isThenable } from './thenable.js';

/** Takes what a listener threw or rejected with. Must not throw. */
type Failed = (error: unknown) => void;
type Arguments = Parameters<AbortSignal['addEventListener']>;
type Listener = Arguments[1] | null;
type Called = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };
type Guard = (this: ReportingSignal, event: Event) => void;

const FAILED = Symbol('failed');

interface ReportingSignal extends AbortSignal {
  [FAILED]: Failed;
}

/**
 * An ordinary controller whose signal reports what its listeners throw, `onabort` included. The signal is an AbortSignal
 * for `fetch`, `AbortSignal.any`, timers and streams; listeners of one that `AbortSignal.any` makes aren't covered.
 */
export function reportingController(failed: Failed): AbortController {
  const controller = new AbortController();
  prototype ??= makePrototype();
  Object.setPrototypeOf(Object.assign(controller.signal, { [FAILED]: failed }), prototype);
  return controller;
}

/** Made by the first controller: most programs never ask for a signal, and Node loads the class when it is named. */
let prototype: object | undefined;

function makePrototype(): object {
  const own = {
    // Node sets `onabort` by this too.
    addEventListener(this: AbortSignal, type: string, listener: Listener, options: Arguments[2]): void {
      AbortSignal.prototype.addEventListener.call(this, type, guarded(listener) as Arguments[1], options);
    },
    removeEventListener(this: AbortSignal, type: string, listener: Listener, options: Arguments[2]): void {
      const guard = listener === null ? undefined : guards.get(listener);
      AbortSignal.prototype.removeEventListener.call(
        this,
        type,
        (guard ?? listener) as Arguments[1],
        options,
      );
    },
  };
  return Object.setPrototypeOf(own, AbortSignal.prototype) as object;
}

/** The same for the same listener, so that it is added once and can be removed. */
const guards = new WeakMap<object, Guard>();

function guarded(listener: Listener): Guard | null {
  // What is no listener is Node's to refuse.
  if (listener === null || !['function', 'object'].includes(typeof listener)) return listener as null;
  const known = guards.get(listener);
  if (known !== undefined) return known;
  const guard: Guard = function (event) {
    const failed = this[FAILED];
    try {
      const called: Called = listener;
      const running = typeof called === 'function' ? called.call(this, event) : called.handleEvent(event);
      if (isThenable(running)) follow(running, undefined, failed);
    } catch (error) {
      failed(error);
    }
  };
  guards.set(listener, guard);
  return guard;
}
