/** Does one operation so many times, beside what warms it up: for a counter that sees the whole process. */
import { operations } from './operations.js';

const [name = '', warm = '', times = ''] = process.argv.slice(2);
const prepare = operations[name];
if (prepare === undefined) throw new Error(`there is no operation '${name}'`);
const run = await prepare();
await run(Number(warm));
const before = process.cpuUsage();
await run(Number(times));
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpuUs: user + system }));
