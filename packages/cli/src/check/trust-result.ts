/** Whether the chain is trusted, in words where it isn't. */
export type TrustResult = { readonly ok: true } | { readonly ok: false; readonly words: string };
