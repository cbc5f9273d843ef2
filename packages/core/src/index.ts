export { EasySocketError } from './errors/index.js';
