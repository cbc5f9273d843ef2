/** What stays on the terminal while replies arrive: each is printed above it, then it is redrawn. */
export interface Foreground {
  above(print: () => Promise<void>): Promise<void>;
  end(): void;
}

/** Nothing. */
export const nothing: Foreground = { above: (print) => print(), end: () => undefined };
