// Servers and clients
export { listen, serve } from './server/on-demand.js';
export { connect } from './client/on-demand.js';
export type { ConnectionHandler } from './server/server.js';
export type { ListenOptions } from './server/config.js';
export type { ClientCertificates, SniEntry, SniMap } from './server/trust-state.js';
export type { AdmissionOptions, AdmissionRefusal } from './server/admission.js';
export type { Rotation } from './server/secure-server.js';
export { readProxyHeader, type Endpoint, type ProxyInfo, type ProxyTlv } from './transport/proxy-header.js';
export { writeProxyHeader, type ProxyHeader } from './transport/proxy-header-writer.js';
export type { BeforeTls } from './server/before-tls.js';
export type { SecureServer, ServerAddress, ServerStats } from './server/secure-server.js';
export { checkConnectOptions, type ConnectOptions } from './client/config.js';
export type {
  CleanEnd,
  ClosedInfo,
  CloseOptions,
  ConnectionStats,
  IncomingRequest,
  RequestHandler,
  RequestOptions,
  SecureConnection,
} from './connection/connection-types.js';
export type { ErrorContext, ErrorListener } from './connection/error-listener.js';
export type { LendOptions, LentBuffer, LentMessageListener } from './connection/lending.js';
export type { MessageListener } from './connection/receive-queue.js';
export type { PeerIdentity } from './transport/peer-identity.js';
export type { TlsInfo } from './transport/tls-facts.js';
export type { HeartbeatOptions, LimitOptions } from './policy/limits.js';
export type { TlsProfileOptions } from './policy/tls-profile.js';

// Credentials: who I am and whom I trust
export { createCredentials, type Credentials, type CredentialsOptions } from './credentials/credentials.js';
export { loadCredentials, watchCredentials } from './credentials/on-demand.js';
export type { CredentialFiles } from './credentials/load.js';
export type { WatchedCredentials, WatchOptions } from './credentials/watch.js';
export type { AlpnChallenge, CredentialSource } from './credentials/source.js';
export type { CredentialsWarning } from './credentials/warning.js';

// Trust: who comes in
export type { AuthorizeRule, AuthorizeRules } from './policy/rules.js';
export type { AuthorizeFunction, TrustOptions } from './trust/trust-policy.js';
export { crlRevocation, type CrlRevocationOptions } from './trust/crl-revocation.js';
export type { RevocationSource, RevocationVerdict } from './trust/revocation.js';

// Framings
export {
  isKnsock,
  json,
  knsock,
  lengthPrefixed,
  lines,
  raw,
  type Decoder,
  type Framing,
  type FramingLimits,
  type MessageSink,
  type Output,
  type Payload,
  type RawOptions,
} from './framing/index.js';

// What can be watched
export type { KnsockEvents } from './observe/channels.js';

// Errors
export { EasySocketError, type ErrorDetails } from './errors/base.js';
export { BlockingCallError, type BlockingReason } from './errors/blocking.js';
export { type ErrorCode } from './errors/codes.js';
export { explain, type Explanation } from './errors/explain.js';
export { type Side } from './errors/causes.js';
export { type CertificateEvidence, type HandshakeOffer } from './errors/evidence.js';
export { type PeerReason } from './errors/reason.js';
export {
  ConnectionClosedError,
  ConnectionError,
  ConnectionRefusedError,
  ConnectionTimeoutError,
  EarlyEndError,
  PortInUseError,
  ReplyTimeoutError,
  ServerDrainingError,
  type EarlyEndCause,
  type TimeoutPhase,
} from './errors/connection.js';
export {
  ClientCertificateRefusedError,
  CredentialsError,
  HandshakeError,
  PeerNotAllowedError,
  SecurityError,
  UntrustedPeerError,
  type CredentialsReason,
  type HandshakeReason,
} from './errors/security.js';
export { MalformedDerError } from './errors/malformed-der.js';
export {
  FramingMismatchError,
  InvalidJsonError,
  MessageTooLargeError,
  ProtocolError,
  RemoteHandlerError,
  RequestNotStartedError,
  TruncatedMessageError,
  type JsonIssue,
} from './errors/protocol.js';
export { RequestError } from './errors/request.js';
export { InvalidOptionError } from './errors/option.js';
