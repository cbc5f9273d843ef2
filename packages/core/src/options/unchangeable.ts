/**
 * Whether an options object can't say anything else later: it is frozen, and so are the lists and plain objects in it. What
 * `byReference` names counts as it is: it is used itself and never copied, so that its changes are seen in any case.
 */
export function isUnchangeable(options: object, byReference: ReadonlySet<string>): boolean {
  return (
    isFrozenPlain(options) &&
    values(options).every(([name, value]) => byReference.has(name) || isFixed(value))
  );
}

function isFixed(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return isFrozenPlain(value) && values(value).every(([, part]) => isFixed(part));
}

/** Frozen, and without a class or a getter that could answer differently. */
function isFrozenPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || prototype === Object.prototype || Array.isArray(value);
  return (
    isPlain &&
    Object.isFrozen(value) &&
    values(value).length === Reflect.ownKeys(value).length - (Array.isArray(value) ? 1 : 0)
  );
}

/** Without getters. */
function values(value: object): [string, unknown][] {
  return Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([name, descriptor]) =>
    'value' in descriptor && descriptor.enumerable === true ? [[name, descriptor.value as unknown]] : [],
  );
}
