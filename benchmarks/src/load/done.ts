/** What was done in a round. */
export interface Done {
  readonly operations: number;
  readonly wallMs: number;
}
