// Serving HTTP
export { serveHttp, type HttpServer } from './serve-http.js';
export type { HttpListener, HttpOptions, ServeHttpOptions } from './config.js';
export { connectionOf, peerOf } from './request-identity.js';
export type { HttpSocket } from './http-socket.js';

// HTTP clients
export { SecureAgent, type AgentSocketOptions, type SecureAgentOptions } from './https-agent.js';
export { undiciConnector, type UndiciConnector, type UndiciConnectOptions } from './undici-connector.js';
export type { HttpClientOptions } from './client-options.js';
