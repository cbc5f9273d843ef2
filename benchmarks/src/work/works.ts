/** All that is measured here, in the order in which it runs. */
import type { Work } from '../bench.js';
import { bulk } from './bulk.js';
import { blocking, certs, start } from './commands.js';
import { certificatesSeen } from './certificates.js';
import { echo } from './echo.js';
import { enrolment } from './enrolment.js';
import { fairness } from './fairness.js';
import { handshakes } from './handshakes.js';
import { http } from './http.js';
import { idle } from './idle.js';
import { pool } from './pool.js';
import { proxy } from './proxy.js';
import { scale } from './scale.js';

export const works: readonly Work[] = [
  echo,
  bulk,
  handshakes,
  idle,
  scale,
  certificatesSeen,
  fairness,
  http,
  pool,
  proxy,
  certs,
  enrolment,
  start,
  blocking,
];
