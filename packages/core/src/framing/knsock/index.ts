export { CLOSE_CODE, Kind, kindName } from './kinds.js';
export { FrameDecoder, type FrameSink } from './frame-decoder.js';
export {
  encodeCancel,
  encodeClose,
  encodeError,
  encodeFrame,
  encodeGoaway,
  encodePing,
  encodePong,
  encodeRefused,
  encodeRejected,
  encodeWelcome,
} from './encode.js';
export {
  parseClose,
  parseError,
  parseRefused,
  parseRejected,
  parseWelcome,
  type Welcome,
} from './control.js';
export { isKnsock, knsock, knsockBrand } from './knsock.js';
