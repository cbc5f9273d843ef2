/** All that is measured here, in the order in which it runs. */
import type { Work } from '../bench.js';
import { bulk } from './bulk.js';
import { blocking, certs, start } from './commands.js';
import { echo } from './echo.js';
import { enrolment } from './enrolment.js';
import { fairness } from './fairness.js';
import { handshakes } from './handshakes.js';
import { http } from './http.js';
import { idle } from './idle.js';
import { pool } from './pool.js';
import { proxy } from './proxy.js';

export const works: readonly Work[] = [
  echo,
  bulk,
  handshakes,
  idle,
  fairness,
  http,
  pool,
  proxy,
  certs,
  enrolment,
  start,
  blocking,
];
