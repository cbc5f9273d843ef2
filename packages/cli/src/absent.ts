/** Replaces unused modules in a bundle. */
export {};
