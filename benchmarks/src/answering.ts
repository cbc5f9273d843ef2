/** The child's side of `Child.ask`. */
export type Request = { readonly do: string } & Readonly<Record<string, unknown>>;
export type Jobs = Readonly<Record<string, (request: never) => unknown>>;

/** Answers each request with what its job returns; ends with its parent. */
export function answer(jobs: Jobs): void {
  process.on('message', (request: Request) => {
    void perform(jobs, request).then((result) => process.send?.(result));
  });
  process.on('disconnect', () => process.exit());
}

async function perform(jobs: Jobs, request: Request): Promise<object> {
  try {
    const job = jobs[request.do] as ((request: Request) => unknown) | undefined;
    if (job === undefined) throw new Error(`nobody does '${request.do}' here`);
    return ((await job(request)) as object | undefined) ?? {};
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
