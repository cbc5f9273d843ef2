/** What programs do on a connection, rightly or not: one function a shape, for servers and clients alike. */
import { once } from 'node:events';
import { RequestError } from '@knsock/core';
import { messageShapes } from './attack-message-shapes.js';
import type { Shape } from './attack-stage.js';

const hasIds = (framing: string): boolean => framing === 'knsock';
const isRaw = (framing: string): boolean => framing === 'raw';

/** Those that ask and answer, end the connection themselves, or fail. */
const others: Readonly<Record<string, Shape>> = {
  'answers at once': {
    sends: 'a request',
    run: (connection, { arrived }) => {
      connection.onRequest(({ payload }) => {
        arrived();
        return payload;
      });
    },
  },
  'answers after some work': {
    sends: 'a request',
    run: (connection, { arrived, work }) => {
      connection.onRequest(async () => {
        arrived();
        await work();
        return 'done';
      });
    },
  },
  'awaits closed in a request handler': {
    sends: 'a request',
    run: (connection, { arrived }) => {
      connection.onRequest(async () => {
        arrived();
        await connection.closed;
        return 'too late';
      });
    },
  },
  'awaits the signal of a request': {
    sends: 'a request',
    only: hasIds,
    run: (connection, { arrived, track }) => {
      connection.onRequest(async ({ signal }) => {
        arrived();
        if (!signal.aborted) await track('request.signal', once(signal, 'abort'));
        return 'too late';
      });
    },
  },
  'fails a request': {
    sends: 'a request',
    run: (connection, { arrived }) => {
      connection.onRequest(() => {
        arrived();
        throw new RequestError('not-found', 'no such thing');
      });
    },
  },
  throws: {
    run: (_, { arrived }) => {
      arrived();
      throw new Error('a handler failed');
    },
  },
  'rejects after a message': {
    run: async (connection, { arrived, track }) => {
      await track('receive', connection.receive());
      arrived();
      throw new Error('a handler failed');
    },
  },
  'asks, and waits for the answer': {
    sends: 'nothing',
    run: async (connection, { arrived, track }) => {
      const asking = track('request', connection.request('who is there'));
      arrived();
      await asking;
    },
  },
  'asks, and awaits nothing': {
    sends: 'nothing',
    run: (connection, { arrived }) => {
      void connection.request('who is there');
      arrived();
    },
  },
  'asks, and gives up': {
    sends: 'nothing',
    run: async (connection, { arrived, track }) => {
      const asking = track('request', connection.request('x', { signal: AbortSignal.timeout(20) }));
      arrived();
      await asking;
    },
  },
  pings: {
    sends: 'nothing',
    only: hasIds,
    run: async (connection, { arrived, track }) => {
      const asking = track('ping', connection.ping());
      arrived();
      await asking;
    },
  },
  'closes at once': {
    sends: 'nothing',
    run: async (connection, { arrived, track }) => {
      arrived();
      await track('close', connection.close());
    },
  },
  'closes for a reason after a message': {
    run: async (connection, { arrived, track }) => {
      await track('receive', connection.receive());
      arrived();
      await track('close', connection.close({ code: 'enough', text: 'that was enough' }));
    },
  },
  'closes with work in flight': {
    run: async (connection, { arrived, track }) => {
      const asking = track('request', connection.request('x'));
      arrived();
      await Promise.allSettled([asking, track('close', connection.close({ deadline: 100 }))]);
    },
  },
  'destroys it': {
    run: async (connection, { arrived, track }) => {
      await track('receive', connection.receive());
      arrived();
      connection.destroy(new Error('no more'));
      await track('receive', connection.receive());
    },
  },
  'pauses, and resumes after a while': {
    run: async (connection, { arrived, work }) => {
      connection.onMessage(() => undefined);
      connection.pause();
      arrived();
      await work();
      connection.resume();
    },
  },
  'listens twice': {
    run: (connection, { arrived }) => {
      connection.onMessage(arrived);
      connection.onMessage(arrived);
    },
  },
  'fails in each listener of the end': {
    run: (connection, { arrived }) => {
      connection.onMessage(arrived);
      connection.onDraining(() => {
        throw new Error('a listener failed');
      });
      connection.signal.addEventListener('abort', () => {
        throw new Error('a listener failed');
      });
    },
  },
  'takes the stream, and echoes': {
    only: isRaw,
    run: (connection, { arrived, track }) => {
      const stream = connection.stream();
      stream.on('data', arrived).on('error', () => undefined);
      stream.pipe(stream);
      return track(
        'stream',
        once(stream, 'close').catch(() => undefined),
      );
    },
  },
};

export const shapes: Readonly<Record<string, Shape>> = { ...messageShapes, ...others };
