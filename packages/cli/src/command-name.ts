/**
 * The command's name in next steps that it prints: `npx` and similar tools don't put `knsock` on a lasting
 * PATH.
 */
export function commandName(environment: NodeJS.ProcessEnv = process.env): string {
  const { npm_command: command, npm_config_user_agent: agent = '' } = environment;
  if (command !== 'exec') return 'knsock';
  return agent.startsWith('pnpm') ? 'pnpm dlx @knsock/cli' : 'npx @knsock/cli';
}
