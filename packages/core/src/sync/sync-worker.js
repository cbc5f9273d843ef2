// What a build makes of worker.ts, when the sources themselves run; it isn't published.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
