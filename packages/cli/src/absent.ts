/** Stands in a bundle for what nobody there uses. */
export {};
