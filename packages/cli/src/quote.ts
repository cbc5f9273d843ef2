/** Text for a command that someone will copy into a shell. */

/** A path or name, quoted for a shell where it needs it. */
export function quote(path: string): string {
  return /^[\w./@%+:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
