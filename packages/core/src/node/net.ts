import { onDemand } from './on-demand.js';

export const isIP = onDemand('node:net', 'isIP');
export const isIPv4 = onDemand('node:net', 'isIPv4');
export const isIPv6 = onDemand('node:net', 'isIPv6');
