/** Names with `{name}` in them, where the name that a request asks for goes. */

const PLACE = '{name}';

/** @param name a checked name, which holds nothing that means something in a URI's path or a host's name */
export function fillTemplates(names: readonly string[], name: string | undefined): string[] {
  return names.flatMap((one) => {
    if (!one.includes(PLACE)) return [one];
    return name === undefined ? [] : [one.replaceAll(PLACE, name)];
  });
}
