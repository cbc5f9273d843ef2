export { encodeAll, MemoryOutput } from './memory-output.js';
