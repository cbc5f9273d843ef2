/** What stands on the terminal while replies come: each is printed above it, and it comes back. */
export interface Foreground {
  above(print: () => Promise<void>): Promise<void>;
  end(): void;
}

/** Nothing. */
export const nothing: Foreground = { above: (print) => print(), end: () => undefined };
