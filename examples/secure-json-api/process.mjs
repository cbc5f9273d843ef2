// @ts-check
// One server as a process: `node process.mjs PORT CERTIFICATES ORDERS`. SIGTERM lets it finish what it has begun.
import { credentialsOf } from './certificates.mjs';
import { orderHandlers } from './orders.mjs';
import { startApi } from './server.mjs';

const [port = '8443', certificates = 'certs', orders = 'orders'] = process.argv.slice(2);

const server = await startApi({
  port: Number(port),
  credentials: await credentialsOf(certificates, 'server'),
  clients: {
    shop: { may: ['orders.create', 'orders.read'], perSecond: 10_000 },
    market: { may: ['orders.create', 'orders.read'], perSecond: 10_000 },
    auditor: { may: ['orders.read', 'orders.total'], perSecond: 5, readsAll: true },
  },
  handlers: await orderHandlers(orders),
});

process.once('SIGTERM', () => server.close().then(() => process.disconnect?.()));
process.send?.(server.address);
