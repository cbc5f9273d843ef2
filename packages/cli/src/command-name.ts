/**
 * How this command is called where its output tells what to type next: `npx` and its like put `knsock` on no PATH that
 * lasts.
 */
export function commandName(environment: NodeJS.ProcessEnv = process.env): string {
  const { npm_command: command, npm_config_user_agent: agent = '' } = environment;
  if (command !== 'exec') return 'knsock';
  return agent.startsWith('pnpm') ? 'pnpm dlx @knsock/cli' : 'npx @knsock/cli';
}
