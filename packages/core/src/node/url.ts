import { onDemand } from './on-demand.js';

export const domainToASCII = onDemand('node:url', 'domainToASCII');
