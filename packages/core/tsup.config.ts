import { defineConfig } from 'tsup';
import { library, types } from '../../scripts/tsup.base.js';
import { entries } from './entries.js';

const sources = Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, `src/${file}`]));

// The types; the code is built by vite.config.ts.
export default defineConfig({ ...library(sources), clean: false, dts: { ...types, only: true } });
