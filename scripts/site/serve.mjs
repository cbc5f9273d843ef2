// A web server for the built site, on this machine alone.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

/**
 * @param {string} folder what is served
 * @param {number} [port] default a free one
 * @returns {Promise<{ address: string, close: () => void }>}
 */
export async function serveSite(folder, port = 0) {
  const server = createServer((request, response) => {
    void answer(folder, request.url ?? '/', response);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(folder, url, response) {
  const { pathname } = new URL(url, 'http://localhost');
  const wanted = path.join(folder, path.posix.normalize(decodeURIComponent(pathname)));
  const file = wanted.endsWith(path.sep) ? path.join(wanted, 'index.html') : wanted;
  try {
    const body = await readFile(file);
    response.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream' });
    response.end(body);
  } catch {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
  }
}
