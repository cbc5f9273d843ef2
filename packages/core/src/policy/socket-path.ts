import { InvalidOptionError } from '../errors/index.js';

/** What `sockaddr_un` holds; pipes of Windows have no such limit. */
const limits: Partial<Record<NodeJS.Platform, number>> = { linux: 107, android: 107, win32: Infinity };
const elsewhere = 103;

/** Refuses a path that Node 20 cuts off without a word, so that two services would share one socket. */
export function socketPath(path: string): string {
  const [bytes, most] = [Buffer.byteLength(path), limits[process.platform] ?? elsewhere];
  if (bytes <= most) return path;
  throw new InvalidOptionError(
    'path',
    `path has ${bytes} bytes, and the path of a Unix socket at most ${most}: '${path}'`,
  );
}
