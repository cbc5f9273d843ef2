/** Numbers of groups and signature algorithms (IANA's registries "TLS Supported Groups" and "TLS SignatureScheme"). */

type Numbers = Readonly<Record<string, number>>;

export const groups: Numbers = {
  X25519MLKEM768: 0x11ec,
  SecP256r1MLKEM768: 0x11eb,
  SecP384r1MLKEM1024: 0x11ed,
  X25519Kyber768Draft00: 0x6399,
  MLKEM512: 0x0200,
  MLKEM768: 0x0201,
  MLKEM1024: 0x0202,
  X25519: 29,
  X448: 30,
  'P-256': 23,
  'P-384': 24,
  'P-521': 25,
  brainpoolP256r1: 26,
  brainpoolP384r1: 27,
  brainpoolP512r1: 28,
  brainpoolP256r1tls13: 31,
  brainpoolP384r1tls13: 32,
  brainpoolP512r1tls13: 33,
  secp256k1: 22,
  secp224r1: 21,
  secp192r1: 19,
  ffdhe2048: 256,
  ffdhe3072: 257,
  ffdhe4096: 258,
  ffdhe6144: 259,
  ffdhe8192: 260,
};

export const signatureAlgorithms: Numbers = {
  'ECDSA+SHA256': 0x0403,
  'ECDSA+SHA384': 0x0503,
  'ECDSA+SHA512': 0x0603,
  ed25519: 0x0807,
  ed448: 0x0808,
  'RSA-PSS+SHA256': 0x0804,
  'RSA-PSS+SHA384': 0x0805,
  'RSA-PSS+SHA512': 0x0806,
  'RSA-PSS-PSS+SHA256': 0x0809,
  'RSA-PSS-PSS+SHA384': 0x080a,
  'RSA-PSS-PSS+SHA512': 0x080b,
  'RSA+SHA256': 0x0401,
  'RSA+SHA384': 0x0501,
  'RSA+SHA512': 0x0601,
  'RSA+SHA224': 0x0301,
  'ECDSA+SHA224': 0x0303,
  'RSA+SHA1': 0x0201,
  'ECDSA+SHA1': 0x0203,
  'RSA+MD5': 0x0101,
  MLDSA44: 0x0904,
  MLDSA65: 0x0905,
  MLDSA87: 0x0906,
};

/** The name of a number in one of the lists above. */
export function nameOf(numbers: Numbers, number: number): string {
  return Object.entries(numbers).find(([, value]) => value === number)?.[0] ?? `0x${number.toString(16)}`;
}
