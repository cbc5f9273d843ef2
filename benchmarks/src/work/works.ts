/** All that is measured here, in the order in which it runs. */
import type { Work } from '../bench.js';
import { bulk } from './bulk.js';
import { echo } from './echo.js';
import { fairness } from './fairness.js';
import { handshakes } from './handshakes.js';
import { idle } from './idle.js';

export const works: readonly Work[] = [echo, bulk, handshakes, idle, fairness];
