/**
 * The part of Standard Schema v1 (https://standardschema.dev) that knsock reads: Zod, Valibot, ArkType and others
 * carry it, so any of their schemas fits without knsock depending on one.
 */
export interface StandardSchema<T = unknown> {
  /** The properties of the standard. */
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

type SchemaResult<T> =
  { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
