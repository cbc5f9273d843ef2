/** Programs that take and send messages. */
import { once } from 'node:events';
import type { AnyConnection, Shape, Stage } from './attack-stage.js';

const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

async function drain(connection: AnyConnection, { arrived, track }: Stage): Promise<void> {
  const reading = async (): Promise<void> => {
    for await (const _ of connection) arrived();
  };
  await track('for await', reading());
}

export const messageShapes: Readonly<Record<string, Shape>> = {
  'takes messages by a listener': {
    run: (connection, { arrived }) => {
      connection.onMessage(arrived);
    },
  },
  'awaits closed': {
    run: async (connection, { arrived }) => {
      connection.onMessage(arrived);
      await connection.closed;
    },
  },
  'awaits closed and takes nothing': {
    run: async (connection, { arrived }) => {
      arrived();
      await connection.closed;
    },
  },
  'awaits onDraining': {
    run: (connection, { arrived }) => {
      connection.onMessage(arrived);
      return new Promise<void>((resolve) => {
        connection.onDraining(resolve);
      });
    },
  },
  'awaits its signal': {
    run: (connection, { arrived, track }) => {
      connection.onMessage(arrived);
      return track('signal', once(connection.signal, 'abort'));
    },
  },
  'reads to the end': { run: drain },
  'reads to the end, then awaits closed': {
    // A client on raw() ends its own direction itself, or at the deadline (docs/connections.md).
    only: (framing, role) => framing !== 'raw' || role !== 'client',
    run: async (connection, stage) => {
      await drain(connection, stage).catch(() => undefined);
      await connection.closed;
    },
  },
  'reads to the end, works, then sends': {
    run: async (connection, stage) => {
      await drain(connection, stage).catch(() => undefined);
      await stage.work();
      await stage.track('send', connection.send('done'));
    },
  },
  'takes one message, works, then sends': {
    run: async (connection, { arrived, track, work }) => {
      await track('receive', connection.receive());
      arrived();
      await work();
      await track('send', connection.send('done'));
    },
  },
  'takes one of two messages': {
    sends: 'two messages',
    run: async (connection, { arrived, track }) => {
      await track('receive', connection.receive());
      arrived();
    },
  },
  'takes none of two messages': {
    sends: 'two messages',
    run: (_, { arrived }) => {
      arrived();
    },
  },
  'waits by several receives': {
    run: async (connection, { arrived, track }) => {
      const all = [1, 2, 3, 4].map((n) => track(`receive ${n}`, connection.receive()));
      await all[0];
      arrived();
      await Promise.all(all);
    },
  },
  'receives with a time limit': {
    run: async (connection, { arrived, track }) => {
      arrived();
      for (;;) if ((await track('receive', connection.receive({ timeout: 20 }))) === null) return;
    },
  },
  'receives with a signal that fires': {
    run: async (connection, { arrived, track }) => {
      arrived();
      await track('receive', connection.receive());
      await track('receive', connection.receive({ signal: AbortSignal.timeout(20) }));
    },
  },
  'pushes by send': {
    sends: 'nothing',
    run: async (connection, { arrived, track }) => {
      for (let n = 0; ; n += 1) {
        await track('send', connection.send(`tick ${n}`));
        arrived();
        await moment();
      }
    },
  },
  'pushes by write and ready': {
    sends: 'nothing',
    run: async (connection, { arrived, track }) => {
      for (;;) {
        if (!connection.write('x'.repeat(50_000))) await track('ready', connection.ready());
        arrived();
        await moment();
      }
    },
  },
  'posts on a timer': {
    run: async (connection, { arrived }) => {
      const timer = setInterval(() => {
        connection.post('tick');
        arrived();
      }, 5);
      await connection.closed;
      clearInterval(timer);
    },
  },
  'sends on a timer, and awaits nothing': {
    run: async (connection, { arrived }) => {
      const timer = setInterval(() => {
        void connection.send('tick');
        arrived();
      }, 5);
      await connection.closed;
      void connection.send('too late');
      connection.write('too late');
      clearInterval(timer);
    },
  },
  'sends a large message': {
    run: async (connection, { arrived, track }) => {
      const sending = track('send', connection.send('x'.repeat(900_000)));
      arrived();
      await sending;
    },
  },
  'echoes by a listener': {
    run: (connection, { arrived }) => {
      connection.onMessage((message) => {
        void connection.send(message);
        arrived();
      });
    },
  },
  'works in a listener, then sends': {
    run: (connection, { arrived, track, work }) => {
      connection.onMessage(async () => {
        arrived();
        await work();
        await track('send', connection.send('done'));
      });
    },
  },
  'awaits its signal in several listeners': {
    sends: 'two messages',
    run: (connection, { arrived, track, work }) => {
      connection.onMessage(async () => {
        arrived();
        await work();
        const { signal } = connection;
        if (!signal.aborted) await track('signal', once(signal, 'abort'));
      });
    },
  },
  'awaits closed in a listener': {
    run: (connection, { arrived }) => {
      connection.onMessage(async () => {
        arrived();
        await connection.closed;
      });
    },
  },
  'throws in a listener': {
    run: (connection, { arrived }) => {
      connection.onMessage(() => {
        arrived();
        throw new Error('a listener failed');
      });
    },
  },
};
