// The command on a real terminal: what a person sees and types.
import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, vi, type TestContext } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, knsockCommand, startServe } from '../support/command.js';
import { Terminal, type TerminalOptions } from '../support/terminal.js';
import { needsTools } from './tools.js';

let files: CertificateFolder;
let server: string[];
let ca: string[];
beforeAll(async () => {
  files = await createCertificateFolder();
  server = ['--cert', files.at('server.crt'), '--key', files.at('server.key')];
  ca = ['--ca', files.at('ca.crt')];
});
afterAll(() => files[Symbol.asyncDispose]());

/** The command in a terminal, which tells its exit code at the end and then stays. */
async function open(
  context: TestContext,
  args: string[],
  { env = {}, ...options }: TerminalOptions & { env?: Record<string, string> } = {},
): Promise<Terminal> {
  needsTools(context, 'tmux');
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const words = ['env', ...variables, ...knsockCommand, ...args].map((word) => `'${word}'`).join(' ');
  // Ctrl-C is for the command; the shell lives on to tell how it ended.
  return Terminal.open(`sh -c "trap : INT; ${words}; echo exited with \\$?; exec sleep 1000"`, options);
}

describe('knsock send', () => {
  it('asks line by line, and lets lines be edited and called back', async (context) => {
    const { serve, address } = await startServe(server);
    await using _ = serve;
    await using terminal = await open(context, ['send', address, ...ca]);
    await terminal.shows(/Connected\. .*\n> $/m);
    await terminal.type('helloo');
    await terminal.press('BSpace', 'Enter');
    await terminal.shows(/^> hello\nhello\n> $/m);
    await terminal.press('Up');
    await terminal.shows(/^> hello\nhello\n> hello$/m);
    await terminal.press('Enter');
    await terminal.shows(/^> hello\nhello\n> hello\nhello\n> $/m);
    await terminal.press('C-d');
    await terminal.shows(/^> ?\nexited with 0/m);
  });

  it('shows what the server says of itself above the line that is being typed', async (context) => {
    const say = `read line; sleep 1; echo news; read line`;
    const { serve, address } = await startServe([...server, '--exec', say]);
    await using _ = serve;
    await using terminal = await open(context, ['send', address, '--framing', 'raw', ...ca]);
    await terminal.shows(/^> $/m);
    await terminal.press('Enter');
    await terminal.type('half a li');
    await terminal.shows(/^news\n> half a li$/m);
  });

  it("ends when the server does, and doesn't wait for another line", async (context) => {
    const { serve, address } = await startServe(server);
    await using _ = serve;
    await using terminal = await open(context, ['send', address, ...ca]);
    await terminal.shows(/^> $/m);
    serve.kill('SIGTERM');
    await terminal.shows(/^> ?\n.*the server ended the connection[^]*exited with 56/m);
  });

  it('is ended by Ctrl-C as every program is', async (context) => {
    const { serve, address } = await startServe(server);
    await using _ = serve;
    await using terminal = await open(context, ['send', address, ...ca]);
    await terminal.shows(/^> $/m);
    await terminal.press('C-c');
    await terminal.shows(/exited with 130/);
    await serve.says(/"event":"close"/);
  });

  it('shows how far a large input has come, and leaves nothing of it behind', async (context) => {
    // Read slowly enough to be seen.
    const { serve, address } = await startServe([...server, '--exec', 'sleep 2; wc -c']);
    await using _ = serve;
    const large = await files.write('large.bin', Buffer.alloc(48 * 1_048_576));
    await using terminal = await open(context, ['send', address, '--framing', 'raw', ...ca, '--file', large]);
    await terminal.shows(/^\[#*\.*\] \d+%, .* of 48\.0 MiB, .*\/s/m);
    await terminal.shows(/^50331648\nexited with 0/m);
    expect(await terminal.screen()).not.toMatch(/48\.0 MiB/);
  });

  it('shows no bar where talk goes elsewhere, and its bytes are those that came', async (context) => {
    const { serve, address } = await startServe([...server, '--framing', 'raw', '--exec', 'sleep 1; cat']);
    await using _ = serve;
    const large = await files.write('other.bin', Buffer.alloc(4 * 1_048_576, 7));
    const copy = files.at('copy.bin');
    needsTools(context, 'tmux');
    const words = [...knsockCommand, 'send', address, '--framing', 'raw', ...ca].join(' ');
    await using terminal = await Terminal.open(
      `sh -c "${words} <'${large}' >'${copy}' 2>'${copy}.log'; echo exited with \\$?; exec sleep 1000"`,
    );
    await terminal.shows(/^exited with 0/m);
    expect((await stat(copy)).size).toBe(4 * 1_048_576);
    expect((await stat(`${copy}.log`)).size).toBe(0);
  });
});

describe('knsock serve', () => {
  it('keeps its counters on the last line, under the log', async (context) => {
    await using terminal = await open(context, ['serve', '--host', '127.0.0.1', '--port', '0', ...server]);
    const [, port = ''] = await terminal.shows(/listening on 127\.0\.0\.1:(\d+)/);
    await terminal.shows(/^0 open, 0 in handshake, 0 accepted, 0 refused/m);
    expect(await knsock(['send', `localhost:${port}`, 'hello', ...ca])).toMatchObject({ code: 0 });
    await terminal.shows(/#1 closed .*\n0 open, 0 in handshake, 1 accepted, 0 refused/);
    await terminal.press('C-c');
    await terminal.shows(/draining, 0 open[^]*stopped/);
    expect(await terminal.screen()).not.toMatch(/in handshake/);
  });

  it('fits its line into a narrow terminal', async (context) => {
    const options = { columns: 20 };
    await using terminal = await open(
      context,
      ['serve', '--host', '127.0.0.1', '--port', '0', ...server],
      options,
    );
    const [, port = ''] = await terminal.shows(/127\.0\.0\.1:(\d+)[^]*\n0 open, 0 in hand$/m);
    expect(await knsock(['send', `localhost:${port}`, 'hello', ...ca])).toMatchObject({ code: 0 });
    await terminal.shows(/#1 closed [^]*\n0 open, 0 in hand$/m);
    expect((await terminal.screen()).match(/in hand/g)).toHaveLength(1);
    await terminal.press('C-c');
    await terminal.shows(/stopped/);
    expect(await terminal.screen()).not.toMatch(/in hand/);
  });

  it.for([
    [{ TERM: 'dumb' }, false],
    [{ NO_COLOR: '1' }, true],
  ] as const)('draws and colours no more than %j allows', async ([env, draws], context) => {
    const args = ['serve', '--host', '127.0.0.1', '--port', '0', ...server];
    await using terminal = await open(context, args, { env });
    await terminal.shows(draws ? /listening on .*\n0 open/ : /listening on/);
    const colors = await terminal.colors();
    expect(colors).not.toContain('\u001b[2m');
    expect(colors.includes('in handshake')).toBe(draws);
  });

  it('drains when its terminal is closed, instead of living on unseen', async (context) => {
    const log = files.at('hangup.log');
    needsTools(context, 'tmux');
    const serve = [...knsockCommand, 'serve', '--host', '127.0.0.1', '--port', '0', '--json', ...server].join(
      ' ',
    );
    const terminal = await Terminal.open(`exec ${serve} >'${log}'`);
    await heard(log, /"event":"listening"/);
    await terminal[Symbol.asyncDispose]();
    await heard(log, /"event":"draining","signal":"SIGHUP"[^]*"event":"stopped"/);
  });
});

async function heard(file: string, pattern: RegExp): Promise<void> {
  await vi.waitFor(async () => expect(await readFile(file, 'utf8')).toMatch(pattern), { timeout: 20_000 });
}

describe('colours', () => {
  it('are there for people, and not for those who said no', async (context) => {
    await using colored = await open(context, ['send', 'localhost']);
    await colored.shows(/exited with 2/);
    expect(await colored.colors()).toContain('\u001b[31mknsock send:');
    await using plain = await open(context, ['send', 'localhost'], { env: { NO_COLOR: '1' } });
    await plain.shows(/exited with 2/);
    expect(await plain.colors()).not.toContain('\u001b[31m');
  });
});

describe("the passphrase of an authority's key", () => {
  const word = 'open sesame';
  const asks = async (context: TestContext): Promise<Terminal> => {
    const env = { KNSOCK_STORE_PASSPHRASE: word };
    const store = files.at('locked');
    const made = await knsock(['certs', 'ca', 'Example CA', '--store', store], { env });
    expect([0, 23]).toContain(made.code); // the second test finds it there
    return open(context, ['certs', 'serve', store, '--listen', '127.0.0.1:0']);
  };

  it("is asked for on a terminal, isn't shown, and opens the key", async (context) => {
    await using terminal = await asks(context);
    await terminal.shows(/Passphrase of the authority's key: $/m);
    await terminal.type(word);
    await terminal.press('Enter');
    await terminal.shows(/listening on 127\.0\.0\.1:\d+, the authority of/);
    expect(await terminal.screen()).not.toContain(word);
    await terminal.press('C-c');
    await terminal.shows(/exited with 0/);
  });

  it('is refused where it is wrong, and may be left out by Ctrl-C and Ctrl-D', async (context) => {
    await using wrong = await asks(context);
    await wrong.shows(/Passphrase of the authority's key: $/m);
    await wrong.type('open says me');
    await wrong.press('Enter');
    await wrong.shows(/KNSOCK_CERTIFICATE_PASSPHRASE[^]*exited with 58/);
    for (const key of ['C-c', 'C-d']) {
      await using terminal = await asks(context);
      await terminal.shows(/Passphrase of the authority's key: $/m);
      await terminal.press(key);
      await terminal.shows(/no passphrase was typed[^]*exited with 2/);
    }
  });
});
