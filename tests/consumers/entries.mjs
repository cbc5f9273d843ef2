// Imports every entry point named on the command line, from an ES module.
import assert from 'node:assert/strict';

for (const name of process.argv.slice(2)) {
  const entry = await import(name);
  assert.notEqual(Object.keys(entry).length, 0, `${name} exports nothing`);
}
