/** Whether the chain is trusted, with the reason if it isn't. */
export type TrustResult = { readonly ok: true } | { readonly ok: false; readonly words: string };
