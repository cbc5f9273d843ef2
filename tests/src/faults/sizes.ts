/**
 * How much the tests against faults do: `KNSOCK_FAULTS=full` does all of what they are made for, as CI does; without it
 * they do a part of that, in less time and memory.
 */
const full = process.env['KNSOCK_FAULTS'] === 'full';

export const sizes = full
  ? {
      stalledHandshakes: 500,
      resets: 5_000,
      connections: 2_000,
      openAtOnce: 10_000,
      handshakes: 4_000,
      restarts: 4,
      fuzzRuns: 300,
      attackStep: 1,
    }
  : {
      stalledHandshakes: 500,
      resets: 1_000,
      connections: 300,
      openAtOnce: 1_000,
      handshakes: 1_500,
      restarts: 2,
      /** Of the cells of the attack matrix, one in so many is run. */
      attackStep: 4,
    };
