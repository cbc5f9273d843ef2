/** HTTP requests a second over kept connections, beside node:https. */
import { compete, isAsked, type Contestant, type Work } from '../bench.js';
import { Child } from '../child.js';

const TITLE = 'an HTTP request, 16 kept connections';

export const http: Work = {
  name: 'http',
  async run(bench) {
    if (!isAsked(bench, TITLE)) return [];
    const { files, load } = bench;
    const children: Child[] = [];
    const contestants: Contestant[] = [];
    for (const name of ['node:https', 'serveHttp'] as const) {
      const child = Child.node('subject', 'subject/subject', name);
      children.push(child);
      const { port } = await child.ask<{ port: number }>({ do: 'serveAnswers', files, by: name });
      await load.ask({ do: 'browse', key: name, files, port });
      contestants.push({
        name,
        pid: child.pid,
        least: name === 'serveHttp' ? 0.8 : undefined,
        run: (ms) => load.ask({ do: 'get', key: name, ms }),
      });
    }
    const head = { work: TITLE, unit: 'µs a request', clock: 'wall' } as const;
    const rows = await compete(bench, head, contestants);
    for (const { name } of contestants) await load.ask({ do: 'leave', key: name });
    for (const child of children) await child.end();
    return rows;
  },
};
