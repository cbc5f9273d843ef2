// A server of bare node:tls, apart from the tests: they block their thread. What it does is what the message asks for.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:tls';

const [, , folder, requireClient] = process.argv;
const file = (name) => readFileSync(`${folder}/${name}`);
let connections = 0;
let spoilt;

const acts = {
  echo: (socket, words) => socket.write(words),
  bye: (socket, words) => socket.end(words),
  silence: () => undefined,
  tell: () => process.send('told'),
  half: (socket) => socket.write('half of'),
  much: (socket, words) => socket.end(Buffer.alloc(Number(words), 'm')),
  // Answers, and hangs up instead of answering again.
  once: (socket) => {
    socket.write('one');
    socket.once('data', () => socket.destroy());
  },
  // Answers, and says more once another client asks for it.
  spoil: (socket) => {
    spoilt = socket;
    socket.write('one');
  },
  more: (socket) => spoilt.write('unasked', () => socket.end('said')),
};

const server = createServer(
  {
    cert: file('server.crt'),
    key: file('server.key'),
    ca: file('ca.crt'),
    requestCert: requireClient === 'true',
    rejectUnauthorized: requireClient === 'true',
  },
  (socket) => {
    const number = (connections += 1);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const [act, words] = data.toString().split(':');
      if (act === 'number') socket.write(`${number}`);
      else acts[act]?.(socket, words);
    });
  },
);
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('disconnect', () => process.exit());
