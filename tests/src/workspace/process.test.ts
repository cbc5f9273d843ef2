import { expect, it } from 'vitest';
import { execute } from '../../../scripts/process.mjs';

const node = process.execPath;

it('keeps what a program prints, and its exit code', async () => {
  const program = 'console.log(1); console.error(2); process.exitCode = 3';
  const { code, output, timedOut } = await execute(node, ['-e', program], { print: 'keep' });
  expect({ code, lines: output.trim().split('\n').sort(), timedOut }).toEqual({
    code: 3,
    lines: ['1', '2'],
    timedOut: false,
  });
});

it("tells of a program that isn't there", async () => {
  const { code, output } = await execute('no-such-program', [], { print: 'keep' });
  expect(code).toBe(127);
  expect(output).toContain('no-such-program');
});

it('ends a program that takes too long, and the programs it started', async () => {
  const wait = 'setInterval(() => {}, 1_000)';
  const parent = `const { pid } = require('child_process').spawn(process.execPath, ['-e', '${wait}']); console.log(pid); ${wait}`;
  const { timedOut, output } = await execute(node, ['-e', parent], { print: 'keep', timeout: 1_000 });
  expect(timedOut).toBe(true);
  await expect.poll(() => isRunning(Number(output)), { timeout: 5_000 }).toBe(false);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
