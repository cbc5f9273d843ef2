// The pool with kn-sock's interface
export { TCPConnectionPool, type TCPConnectionPoolOptions } from './facade/facade.js';
export type { BorrowedChannel, ChannelWait } from './facade/byte-channel.js';
