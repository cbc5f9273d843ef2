// The pool that users of kn-sock know
export { TCPConnectionPool, type TCPConnectionPoolOptions } from './facade/facade.js';
export type { BorrowedChannel, ChannelWait } from './facade/byte-channel.js';
