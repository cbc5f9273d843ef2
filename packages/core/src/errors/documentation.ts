/**
 * The web address of the project's repository, such as `https://host/owner/name`; empty while there is none. It is the
 * one constant of its kind: the manifests of the packages get their `repository` and `homepage` from it.
 */
export const repositoryAddress: string = '';

/**
 * Where readers find a page of the documentation: in the repository, or as a file of this package, which every user has.
 * @param page its file name, with a heading where one is meant: `errors.md#knsock_port_in_use`
 */
export function documentation(page: string): string {
  return repositoryAddress === ''
    ? `@knsock/core/docs/${page}`
    : `${repositoryAddress}/blob/HEAD/docs/${page}`;
}
