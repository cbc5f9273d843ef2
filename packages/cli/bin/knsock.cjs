#!/usr/bin/env node
'use strict';
// CommonJS, since node starts it soonest. What scripts ask most is answered before anything else is loaded, and
// `send`, which they start most, has a file of its own that holds all it needs.
const { writeSync } = require('node:fs');

const [first, ...others] = process.argv.slice(2);
if (others.length === 0 && (first === '--version' || first === '-V')) {
  try {
    writeSync(1, `${require('../package.json').version}\n`);
  } catch (error) {
    // Where nobody reads the answer there is nothing to tell anybody. Any other failure is reported as everywhere.
    if (error.code !== 'EPIPE') void import('../dist/bin.js');
  }
} else {
  // What `send` has of its own is made small: a stack trace, which --debug shows, is of files that people can read.
  if (first !== 'send' || process.argv.includes('--debug')) void import('../dist/bin.js');
  else require('./compiled.cjs')(require.resolve('../dist/send.cjs'));
}
