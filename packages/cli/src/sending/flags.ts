/** The flags of `knsock send`, as they were parsed. */
import type { ContentFlags, CredentialFlags, FramingFlags, ProfileFlags } from '../options.js';

export interface SendFlags extends ContentFlags, CredentialFlags, FramingFlags, ProfileFlags {
  file?: string[];
  chunk?: number;
  repeat: number;
  reply: boolean;
  newline: boolean;
  wait?: number;
  timeout: number;
  connectTimeout?: number;
  servername?: string;
  pin?: string[];
  dangerouslySkipVerification?: boolean;
  verbose?: boolean;
}
