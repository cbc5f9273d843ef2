export type { Decoder, Framing, FramingLimits, MessageSink, Output, Payload } from './framing.js';
export { raw, type RawOptions } from './raw.js';
export { lines } from './lines.js';
export { lengthPrefixed, type LengthPrefixedOptions } from './length-prefixed.js';
export { isKnsock, knsock } from './knsock/index.js';
export { json, type JsonOptions } from './json.js';
export type { StandardSchema } from './standard-schema.js';
export { ByteQueue } from './byte-queue.js';
