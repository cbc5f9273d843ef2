// What the manifests of the packages say of the project's address.

/** A manifest with `homepage` and `repository` as the address has them; without both while it is empty. */
export function addressed(
  { homepage: _homepage, repository: _repository, ...manifest }: Record<string, unknown>,
  folder: string,
  address: string,
): Record<string, unknown> {
  if (address === '') return manifest;
  const repository = { type: 'git', url: `git+${address}.git`, directory: `packages/${folder}` };
  return { ...manifest, homepage: `${address}#readme`, repository };
}
