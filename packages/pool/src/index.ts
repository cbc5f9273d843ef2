export { ConnectionPool, type ConnectionPoolStats } from './connections/connection-pool.js';
export { type ConnectionPoolOptions } from './connections/connection-config.js';
export { type EndpointAddress, type EndpointStats } from './endpoints/endpoint.js';
export { Pool } from './pool/pool.js';
export {
  type AcquireOptions,
  type PoolCloseOptions,
  type TryOptions,
  type WaitOptions,
} from './waiting/wait-options.js';
export type { Lease } from './pool/lease.js';
export { type Factory, type PoolLimits, type PoolOptions, type DestroyReason } from './pool/config.js';
export { type PoolFailure, type PoolStats } from './pool/stats.js';
export { type HistogramSnapshot } from './pool/histogram.js';
export { type Leak } from './pool/leak-detector.js';
export { type PoolEvents } from './pool/channels.js';
export { type Clock, type Timer } from './clock.js';
export {
  LeaseReleasedError,
  PoolClosedError,
  PoolError,
  PoolQueueFullError,
  PoolTimeoutError,
  type PoolErrorCode,
} from './pool/errors.js';
