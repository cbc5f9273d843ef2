import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('key-fuzz.program.ts', import.meta.url));
/** `KNSOCK_FUZZ=20000` looks for longer, from other seeds each time. */
const long = Number(process.env.KNSOCK_FUZZ ?? 0);
const rounds = long || 400;
const seeds = long > 0 ? [Date.now() % 1_000_000, (Date.now() % 1_000_000) + 1] : [1];

describe('malformed keys', () => {
  it.each(seeds)(
    `end in a result or a typed error at every entrance, and never end the process (seed %i, ${rounds} inputs)`,
    (seed) => {
      const args = ['-C', '@knsock/source', '--import', import.meta.resolve('tsx'), program];
      const { signal, status, stdout, stderr } = spawnSync(
        process.execPath,
        [...args, String(seed), String(rounds)],
        { encoding: 'utf8' },
      );
      expect({ signal, status, stdout }, stderr.slice(0, 2_000)).toEqual({
        signal: null,
        status: 0,
        stdout: '',
      });
    },
    long > 0 ? 3_600_000 : 60_000,
  );
});
