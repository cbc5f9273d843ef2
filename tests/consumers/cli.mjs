// The installed command as its users run it, without a terminal and, where tmux is installed, on one: certificates, a
// server, a client and one that is refused.
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const waitMs = 20_000;
const file = path.resolve('node_modules', '.bin', 'knsock');
const folder = mkdtempSync(path.join(tmpdir(), 'knsock-cli-'));
const run = promisify(execFile);
const knsock = (...args) => run(file, args, { cwd: folder, timeout: waitMs });
const refused = (...args) =>
  knsock(...args).then(
    () => assert.fail('it should fail'),
    (error) => error,
  );

try {
  const { stdout: made } = await knsock('certs', 'init');
  assert.equal(made.match(/^ {2}knsock /gm)?.length, 3);
  const identity = [
    '--cert',
    'certs/issued/client.crt',
    '--key',
    'certs/issued/client.key',
    '--ca',
    'certs/ca/root.crt',
  ];
  const serve = [
    'serve',
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--json',
    '--cert',
    'certs/issued/server.crt',
  ];
  const server = spawn(file, [...serve, '--key', 'certs/issued/server.key', '--ca', 'certs/ca/root.crt'], {
    cwd: folder,
  });
  try {
    const [listening] = await once(server.stdout, 'data', { signal: AbortSignal.timeout(waitMs) });
    const address = `localhost:${JSON.parse(String(listening).split('\n')[0]).port}`;
    assert.deepEqual(await knsock('send', address, 'hello', ...identity), { stdout: 'hello\n', stderr: '' });
    assert.equal((await refused('send', address, 'hello', '--ca', 'certs/ca/root.crt')).code, 67);
    await onTerminal(address, identity);
  } finally {
    server.kill('SIGTERM');
    await once(server, 'close');
  }
  assert.equal(server.exitCode, 0);
  await withoutServer();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function withoutServer() {
  assert.match((await knsock('doctor')).stdout, new RegExp(`^node: +${process.versions.node}$`, 'm'));
  assert.match((await knsock('completion', 'bash')).stdout, /^complete -F _knsock knsock$/m);
  for (const name of ['serve', 'send', 'proxy', 'certs', 'check', 'run-ssl-tcp-server', 'send-ssl-tcp']) {
    assert.match((await knsock(name, '--help')).stdout, /Examples:$/m);
  }
  assert.match((await knsock('certs', 'inspect', 'certs/ca/root.crt')).stdout, /knsock development CA/);
  assert.match((await knsock('check', 'certs', '--fail-on', 'never')).stdout, /\S/);
  assert.equal((await refused('send', 'localhost')).code, 2);
}

/** A person types a line and reads the answer. */
async function onTerminal(address, identity) {
  const tmux = (...args) => run('tmux', ['-S', path.join(folder, 'tmux'), ...args], { timeout: waitMs });
  if (spawnSync('tmux', ['-V']).status !== 0) {
    if (process.env.KNSOCK_REQUIRE_TOOLS === '1') assert.fail('tmux is not installed');
    console.log('no terminal tried: tmux is not installed');
    return;
  }
  const command = `cd '${folder}' && exec '${file}' send ${address} ${identity.join(' ')}`;
  await tmux('-f', '/dev/null', 'new-session', '-d', '-x', '100', '-y', '40', command);
  try {
    await shows(tmux, /^> $/m);
    await tmux('send-keys', '-l', 'hello');
    await tmux('send-keys', 'Enter');
    await shows(tmux, /^> hello\nhello\n> $/m);
  } finally {
    await tmux('kill-server').catch(() => undefined); // gone already where the command ended: the failure above says why
  }
}

async function shows(tmux, pattern) {
  const until = Date.now() + waitMs;
  for (;;) {
    const { stdout } = await tmux('capture-pane', '-p', '-J');
    if (pattern.test(stdout)) return;
    if (Date.now() > until) assert.match(stdout, pattern);
    await delay(100);
  }
}
