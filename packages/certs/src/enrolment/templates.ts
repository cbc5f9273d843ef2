/** Names with a placeholder `{name}`, which is replaced by the name that a request asks for. */

const PLACE = '{name}';

/** @param name a validated name, without characters that are special in a URI's path or a host name */
export function fillTemplates(names: readonly string[], name: string | undefined): string[] {
  return names.flatMap((one) => {
    if (!one.includes(PLACE)) return [one];
    return name === undefined ? [] : [one.replaceAll(PLACE, name)];
  });
}
