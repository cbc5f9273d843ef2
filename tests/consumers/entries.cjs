// Requires every entry point named on the command line: the same names as an import gives, and the very same values.
const assert = require('node:assert/strict');

async function main() {
  for (const name of process.argv.slice(2)) {
    const required = require(name);
    const imported = await import(name);
    assert.deepEqual(Object.keys(required).sort(), Object.keys(imported).sort());
    for (const key of Object.keys(imported)) assert.equal(required[key], imported[key], `${name}: ${key}`);
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
