export { TCPConnectionPool, type TCPConnectionPoolOptions } from './facade.js';
export type { BorrowedChannel, ChannelWait } from './byte-channel.js';
export { ConnectionPool, type ConnectionPoolStats } from './connection-pool.js';
export { type ConnectionPoolOptions } from './connection-config.js';
export { type EndpointAddress, type EndpointStats } from './endpoint.js';
export { Pool } from './pool.js';
export { type AcquireOptions, type WaitOptions } from './wait-options.js';
export type { Lease } from './lease.js';
export { type Factory, type PoolLimits, type PoolOptions, type Reason } from './config.js';
export { type Failure, type PoolStats } from './stats.js';
export { type HistogramSnapshot } from './histogram.js';
export { type Leak } from './leak-detector.js';
export { type PoolEvents } from './channels.js';
export { type Clock, type Timer } from './clock.js';
export {
  LeaseReleasedError,
  PoolClosedError,
  PoolError,
  PoolQueueFullError,
  PoolTimeoutError,
  type PoolErrorCode,
} from './errors.js';
