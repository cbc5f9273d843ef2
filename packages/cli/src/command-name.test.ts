import { expect, it } from 'vitest';
import { commandName } from './command-name.js';

it.each([
  [{}, 'knsock'],
  [{ npm_command: 'run-script' }, 'knsock'],
  [{ npm_command: 'exec', npm_config_user_agent: 'npm/10.8.2 node/v20' }, 'npx @knsock/cli'],
  [{ npm_command: 'exec', npm_config_user_agent: 'pnpm/10.3 npm/?' }, 'pnpm dlx @knsock/cli'],
])('is called as it was started: %j', (environment, name) => {
  expect(commandName(environment)).toBe(name);
});
