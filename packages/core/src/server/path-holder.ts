/**
 * What stands at the path of a Unix socket that can't be listened on: a connection is tried. Nothing is
 * removed: between the question and the removal another program may have begun to listen there, and would lose its socket.
 */
import { lstat } from 'node:fs/promises';
import { connect } from 'node:net';
import type { PathHolder } from '../errors/from-node.js';

/** A listener takes a connection at once, if it takes any. */
const PATIENCE = 1_000;

/** Null where that can't be known. */
export async function holderOf(path: string): Promise<PathHolder | null> {
  const answer = await knock(path);
  if (answer !== 'ECONNREFUSED') return answer === null ? 'listener' : null;
  try {
    return (await lstat(path)).isSocket() ? 'nobody' : 'file';
  } catch {
    return null;
  }
}

/** @returns the code of the failure; null where a program listens */
function knock(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const answered = (code: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(code);
    };
    const timer = setTimeout(() => {
      answered('ETIMEDOUT');
    }, PATIENCE);
    socket.once('connect', () => {
      answered(null);
    });
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => {
      answered(code);
    });
  });
}
