// The names that users of kn-sock know, on `listen`, `connect` and the raw framing
export { startAsyncSslTcpServer, startSslTcpServer } from './facade/start-ssl-tcp-server.js';
export type { ClientAddress, SslHandler, SslServer } from './facade/start-ssl-tcp-server.js';
export type { SslConnection } from './facade/ssl-connection.js';
export type { SslServerOptions } from './facade/ssl-server-options.js';
export { sendSslTcpMessage, sendSslTcpMessageAsync } from './facade/send-ssl-tcp-message.js';
export { sendSslTcpMessageSync } from './sync/send-ssl-tcp-message-sync.js';
export type { SslMessageOptions } from './facade/ssl-message-options.js';
export type { SyncSslMessageOptions } from './sync/sync-message-options.js';
export type { ReplyEnd } from './facade/reply.js';
