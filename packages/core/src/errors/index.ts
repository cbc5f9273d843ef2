export { EasySocketError, type ErrorDetails } from './base.js';
export { BlockingCallError, type BlockingReason } from './blocking.js';
export { type ErrorCode } from './codes.js';
export { documentation } from './documentation.js';
export { type Side } from './causes.js';
export { type CertificateEvidence, type HandshakeOffer } from './evidence.js';
export { explain, type Explanation } from './explain.js';
export { printable, printableJson, printableLines } from './printable.js';
export { type PeerReason } from './reason.js';
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
} from './connection.js';
export {
  ClientCertificateRefusedError,
  CredentialsError,
  HandshakeError,
  PeerNotAllowedError,
  SecurityError,
  UntrustedPeerError,
  type CredentialsReason,
  type HandshakeReason,
} from './security.js';
export { MalformedDerError, UnusableKeyError } from './malformed-der.js';
export {
  FramingMismatchError,
  InvalidJsonError,
  MessageTooLargeError,
  ProtocolError,
  RemoteHandlerError,
  RequestNotStartedError,
  TruncatedMessageError,
  type JsonIssue,
} from './protocol.js';
export { RequestError } from './request.js';
export { InvalidOptionError } from './option.js';
