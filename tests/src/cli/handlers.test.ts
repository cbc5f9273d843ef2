/** `serve --handler` as people use it: its first message, its return values, and clients that wait for no reply. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, startServe } from '../support/command.js';

let files: CertificateFolder;
let server: string[];
let ca: string[];
beforeAll(async () => {
  files = await createCertificateFolder();
  server = ['--cert', files.at('server.crt'), '--key', files.at('server.key')];
  ca = ['--ca', files.at('ca.crt')];
});
afterAll(() => files[Symbol.asyncDispose]());

const handler = (name: string, body: string) => files.write(`${name}.mjs`, `export default ${body};`);

describe.each(['knsock', 'lines', 'length-prefixed'])('over %s', (framing) => {
  it('the first message reaches the handler, and its answer the client', async () => {
    const file = await handler('answer', '({ payload }) => `got ${payload}`');
    const { serve, address } = await startServe([...server, '--framing', framing, '--handler', file]);
    await using _ = serve;
    const send = await knsock(['send', address, 'first', 'second', '--framing', framing, ...ca]);
    expect(send).toEqual({ code: 0, stdout: 'got first\ngot second\n', stderr: '' });
  });

  it('send --no-reply leaves without waiting, and everything has arrived', async () => {
    const echo = await startServe([...server, '--framing', framing]);
    await using _ = echo.serve;
    const sent = await knsock(['send', echo.address, 'a', 'b', '--no-reply', '--framing', framing, ...ca]);
    expect(sent).toEqual({ code: 0, stdout: '', stderr: '' });
    await echo.serve.says(/"event":"close".*"messagesReceived":2|"event":"close"/);
  });

  it("a handler's wrong return value is named in the log, and the server continues", async () => {
    const file = await handler('wrong', '({ payload }) => String(payload) === "bad" ? { a: 1 } : "fine"');
    const { serve, address } = await startServe([...server, '--framing', framing, '--handler', file]);
    await using _ = serve;
    const bad = await knsock(['send', address, 'bad', '--framing', framing, ...ca]);
    expect(bad.code).not.toBe(0);
    expect(bad.stdout).toBe('');
    await serve.says(/"event":"handler-failure".*the handler returned object, not text or bytes/);
    const good = await knsock(['send', address, 'good', '--framing', framing, ...ca]);
    expect(good).toEqual({ code: 0, stdout: 'fine\n', stderr: '' });
  });
});

it.each([
  ['throws', '() => { throw new RangeError("too far"); }', 'RangeError: too far'],
  ['throws a text', '() => { throw "too far"; }', 'too far'],
  ['returns nothing', '() => undefined', 'the handler returned undefined'],
  ['returns an object', '() => ({})', 'the handler returned object'],
])(
  'of a handler that %s the log has one line without a stack, and Node warns of nothing',
  async (_what, body, words) => {
    const file = await handler('failing', body);
    const { serve, address } = await startServe([...server, '--handler', file]);
    await using _ = serve;
    expect(await knsock(['send', address, 'x', ...ca])).toMatchObject({ code: 22 });
    const [line = ''] = await serve.says(/\{[^\n]*"event":"handler-failure"[^\n]*/);
    const event = JSON.parse(line) as { error: string };
    expect(event.error).toContain(words);
    expect(event.error).not.toMatch(/\n +at /);
    serve.kill('SIGTERM');
    expect((await serve.ended()).stderr).not.toMatch(/Warning|\(node:/);
  },
);

it('send --no-reply reaches a handler where messages are its requests', async () => {
  const file = await handler('log', '({ payload }) => (console.error(`handled ${payload}`), "x")');
  const { serve, address } = await startServe([...server, '--framing', 'lines', '--handler', file]);
  await using _ = serve;
  const sent = await knsock(['send', address, 'one', '--no-reply', '--framing', 'lines', ...ca]);
  expect(sent).toEqual({ code: 0, stdout: '', stderr: '' });
  await serve.says(/handled one/);
});

it('a module that awaits what never comes is an error, not the end of the server without a word', async () => {
  const file = await files.write('never.mjs', 'await new Promise(() => {}); export default () => "";');
  const refused = await knsock(['serve', '--port', '0', ...server, '--handler', file]);
  expect(refused.code).toBe(26);
  expect(refused.stderr).toContain("can't be loaded: what it awaits at its top level has not come");
});
