import { codes, type ErrorCode } from './codes.js';
import { documentation } from './documentation.js';
import { printable } from './printable.js';

const BRAND = Symbol.for('knsock.error.families');

/** What every knsock error has besides its message. */
export interface ErrorDetails {
  /** The failure underneath, as Node, OpenSSL or another knsock error reported it. */
  cause?: unknown;
  /** What to try next, in one sentence; defaults to the hint of the code. */
  hint?: string;
  /** Whether the same call may succeed when simply repeated; defaults to that of the code. */
  retryable?: boolean;
}

/**
 * The base of every error knsock raises; match on `code`, which never changes its meaning.
 * `instanceof` holds across copies of the library: it compares brands, not class identity.
 */
export class EasySocketError extends Error {
  /** The name under which this class recognises its instances, whichever copy of the library made them. */
  static readonly brand: string = 'EasySocketError';
  /** A stable name of the failure: `KNSOCK_…`. */
  readonly code: string;
  /** What to try next, in one sentence. */
  readonly hint: string;
  /** Whether the same call may succeed when simply repeated. */
  readonly retryable: boolean;

  constructor(code: ErrorCode | (string & {}), message: string, details: ErrorDetails = {}) {
    // Names, addresses and words of peers stand in messages, and messages are printed.
    super(printable(message), details.cause === undefined ? undefined : { cause: details.cause });
    const known = (codes as Record<string, { hint: string; retryable: boolean } | undefined>)[code];
    this.name = new.target.brand;
    this.code = code;
    this.hint = printable(details.hint ?? known?.hint ?? '');
    this.retryable = details.retryable ?? known?.retryable ?? false;
    Object.defineProperty(this, BRAND, { value: brandsOf(new.target) });
  }

  /** Where this failure is described: `@knsock/core/docs/errors.md#…`, a file of this package, and the section of its code. */
  get docs(): string {
    return documentation(`errors.md#${this.code.toLowerCase()}`);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    const brands = (value as Record<symbol, unknown>)[BRAND];
    return Array.isArray(brands) && brands.includes(this.brand);
  }
}

/** An error of that class from its parts, as they came from another thread; its constructor isn't run. */
export function reviveError(
  family: typeof EasySocketError,
  message: string,
  fields: Readonly<Record<string, unknown>>,
  cause: unknown,
): EasySocketError {
  const plain = new Error(message, cause === undefined ? undefined : { cause });
  const error = Object.setPrototypeOf(plain, family.prototype) as EasySocketError;
  Object.assign(error, fields);
  return Object.defineProperty(error, BRAND, { value: brandsOf(family) });
}

function brandsOf(constructor: typeof EasySocketError): string[] {
  const brands: string[] = [];
  let family: typeof EasySocketError | null = constructor;
  while (typeof family === 'function' && 'brand' in family) {
    brands.push(family.brand);
    family = Object.getPrototypeOf(family) as typeof EasySocketError | null;
  }
  return brands;
}
