import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knsock } from '../support/command.js';
import { Terminal } from '../support/terminal.js';
import { needsTools } from './tools.js';

const run = promisify(execFile);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-completion-'));
  await writeFile(path.join(folder, 'my server.crt'), '');
  for (const shell of ['bash', 'zsh', 'fish']) {
    await writeFile(path.join(folder, `knsock.${shell}`), (await knsock(['completion', shell])).stdout);
  }
});
afterAll(() => rm(folder, { recursive: true }));

/** What is typed, and what is offered. */
const cases: [string[], string[]][] = [
  [['ser'], ['serve']],
  [
    ['certs', 'in'],
    ['init', 'inspect'],
  ],
  [['certs', 'issue', '--ki'], ['--kind']],
  [
    ['certs', 'issue', '--kind', ''],
    ['server', 'client', 'peer'],
  ],
  [
    ['send', '--framing', 'l'],
    ['lines', 'length-prefixed'],
  ],
  [['serve', '--cert', 'my'], ['my server.crt']],
  [['certs', 'inspect', 'my'], ['my server.crt']],
  [['completion', 'z'], ['zsh']],
  [['send', '--quie'], ['--quiet']],
];

describe('bash', () => {
  it.for(cases)('completes knsock %j', async ([words, offered], context) => {
    needsTools(context, 'bash');
    const program = `source knsock.bash; COMP_WORDS=(knsock "$@"); COMP_CWORD=$#; _knsock; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await run('bash', ['--norc', '-c', program, 'bash', ...words], { cwd: folder });
    expect(stdout.trim().split('\n').sort()).toEqual([...offered].sort());
  });
});

describe('bash on a terminal', () => {
  it.for([
    ['knsock serve --cert=my', /^> knsock serve --cert=my\\ server\.crt/m],
    ['knsock certs issue --kind=pe', /^> knsock certs issue --kind=peer/m],
    ['knsock serve --cert my', /^> knsock serve --cert my\\ server\.crt/m],
  ] as const)('completes %s', async ([typed, completed], context) => {
    needsTools(context, 'tmux', 'bash');
    const setup = path.join(folder, 'setup.bash');
    await writeFile(setup, `PS1='> '; cd '${folder}'; source knsock.bash\n`);
    await using terminal = await Terminal.open(`bash --noprofile --rcfile '${setup}' -i`);
    await terminal.shows(/^> $/m);
    await terminal.type(typed);
    await terminal.press('Tab');
    await terminal.shows(completed);
  });
});

describe('fish', () => {
  it.for(cases)('completes knsock %j', async ([words, offered], context) => {
    needsTools(context, 'fish');
    const program = `source knsock.fish; complete -C "knsock ${words.join(' ')}"`;
    const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder };
    const { stdout } = await run('fish', ['--no-config', '-c', program], { cwd: folder, env });
    const found = stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0]?.replaceAll('\\', ''));
    expect(found.sort()).toEqual([...offered].sort());
  });
});

describe('zsh', () => {
  it('completes commands, options, values and files on a terminal', async (context) => {
    needsTools(context, 'tmux', 'zsh');
    await writeFile(
      path.join(folder, '.zshrc'),
      `PS1='> '; autoload -Uz compinit; compinit -u -D; cd '${folder}'; source knsock.zsh\n`,
    );
    await using terminal = await Terminal.open('zsh -i', { env: { ZDOTDIR: folder } });
    await terminal.shows(/^> $/m);
    for (const [typed, completed] of [
      ['knsock certs insp', /> knsock certs inspect $/m],
      ['knsock certs issue --ki', /> knsock certs issue --kind $/m],
      ['knsock certs issue --kind pe', /> knsock certs issue --kind peer $/m],
      ['knsock serve --cert my', /> knsock serve --cert my\\ server\.crt $/m],
      ['knsock serve --cert=my', /> knsock serve --cert=my\\ server\.crt $/m],
      ['knsock certs issue --kind=pe', /> knsock certs issue --kind=peer $/m],
      ['knsock certs inspect my', /> knsock certs inspect my\\ server\.crt $/m],
    ] as const) {
      await terminal.type(typed);
      await terminal.press('Tab');
      await terminal.shows(new RegExp(completed.source.replace(' $', ''), 'm'));
      await terminal.press('C-u');
    }
  });
});
