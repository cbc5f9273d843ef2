// @ts-check
// PostgreSQL without an installation, in memory: `node embedded.mjs` prints its address.
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const db = await PGlite.create();
const server = new PGLiteSocketServer({ db, port: 0, host: '127.0.0.1', maxConnections: 50 });
await server.start();
console.log(`postgres://postgres@${server.getServerConn()}/postgres`);
