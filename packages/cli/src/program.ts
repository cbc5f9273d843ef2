/** The tree of commands; only the called one is loaded. */
import { Command } from 'commander';
import { nameFlags, refuseEmptyArguments } from './flag-values.js';
import { refuseRepeated } from './given-once.js';
import { addGlobalOptions, configure } from './global-options.js';
import type { Output } from './output.js';
import { givenFiles } from './unreadable.js';
import { version } from './version.js';

/** Adds arguments, options and action to a command. */
type Define = (command: Command, output: Output) => void;

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Define>;
  /** Omitted from the list of `knsock --help`. */
  readonly hidden?: boolean;
}

const entries: readonly Entry[] = [
  {
    name: 'serve',
    summary: 'listen for TLS connections and answer them (echo by default)',
    load: async () => (await import('./commands/serve.js')).defineServe,
  },
  {
    name: 'send',
    summary: 'send messages to a TLS server and print the replies',
    load: async () => (await import('./commands/send.js')).defineSend,
  },
  {
    name: 'proxy',
    summary: 'add TLS in front of a plain server or client',
    load: async () => (await import('./commands/proxy.js')).defineProxy,
  },
  {
    name: 'certs',
    summary: 'create and manage certificates',
    load: async () => (await import('./commands/certs.js')).defineCerts,
  },
  {
    name: 'check',
    summary: 'check certificates, directories of certificates, and servers for weaknesses',
    load: async () => (await import('./commands/check.js')).defineCheck,
  },
  {
    name: 'doctor',
    summary: 'show versions and the capabilities of this machine',
    load: async () => (await import('./commands/doctor.js')).defineDoctor,
  },
  {
    name: 'explain',
    summary: 'explain an error code: its meaning, its usual causes and what to do',
    load: async () => (await import('./commands/explain.js')).defineExplain,
  },
  {
    name: 'docs',
    summary: 'print a page of the documentation',
    load: async () => (await import('./commands/docs.js')).defineDocs,
  },
  {
    name: 'completion',
    summary: 'print the completion script for bash, zsh or fish',
    load: async () => {
      const { defineCompletion } = await import('./commands/completion.js');
      return (command, output) => {
        defineCompletion(command, output, () => buildProgram('all', output));
      };
    },
  },
  {
    name: 'run-ssl-tcp-server',
    summary: "kn-sock's server command: echo raw bytes once per connection",
    load: async () => (await import('./commands/run-ssl-tcp-server.js')).defineRunSslTcpServer,
  },
  {
    name: 'send-ssl-tcp',
    summary: "kn-sock's client command: send a message, print the reply",
    load: async () => (await import('./commands/send-ssl-tcp.js')).defineSendSslTcp,
  },
];

/** The called command: no global flag takes a value, so it is the first word. */
function commandName(argv: readonly string[]): string | undefined {
  const words = argv.filter((word) => !word.startsWith('-'));
  const name = words[0] === 'help' ? words[1] : words[0];
  return entries.some((entry) => entry.name === name) ? name : undefined;
}

/** The program with the called command defined, and the others by name only; `'all'` defines them all. */
export async function buildProgram(argv: readonly string[] | 'all', output: Output): Promise<Command> {
  const program = configure(new Command('knsock'));
  program
    .description('TLS over TCP from the command line: serve, send, proxy, make and check certificates.')
    .version(version(), '-V, --version', 'print the version')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', EXAMPLES);
  const called = argv === 'all' ? undefined : commandName(argv);
  for (const { name, summary, load, hidden } of entries) {
    const command = program.command(name, { hidden: hidden ?? false }).description(summary);
    if (argv === 'all' || name === called) (await load())(addGlobalOptions(configure(command)), output);
  }
  program.hook('preAction', (_, action) => {
    refuseEmptyArguments(action);
    output.given = givenFiles(action);
  });
  refuseRepeated(program);
  nameFlags(program);
  return addGlobalOptions(program);
}

const EXAMPLES = `
Examples:
  $ knsock certs init certs
  $ knsock serve --port 8443 --cert certs/issued/server.crt --key certs/issued/server.key
  $ knsock send localhost:8443 hello --ca certs/ca/root.crt

knsock help COMMAND shows more; knsock docs cli has every option and exit code.`;
