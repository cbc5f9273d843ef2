/** A case that our rules decide otherwise than the exam: what they do with it, and why that is right or harmless. */
export interface Deviation {
  readonly we: 'accept' | 'refuse';
  readonly why: string;
}

type Deviations = Readonly<Record<string, Deviation>>;

const accept = (why: string): Deviation => ({ we: 'accept', why });
const refuse = (why: string): Deviation => ({ we: 'refuse', why });

const signingLeaf = refuse(
  'The leaf is a CA whose key usage lacks digitalSignature; RFC 8446 4.4.2.2 demands that bit of a key that signs handshakes, and OpenSSL refuses such a server too.',
);
const criticalConstraints = accept(
  'Contradicts webpki::nc::permitted-dns-match-noncritical, the same chain with the opposite answer. The constraints are enforced whether or not they are marked critical.',
);
const strayCommonName = refuse(
  'The common name "example.com" isn\'t one of the DNS names, which the baseline requirements (7.1.4.3) forbid and webpki::cn::not-in-san wants refused; the case is about something else.',
);
const keyIdentifierHint = accept(
  'Key identifiers are hints for finding a path; the signature decides. Certificates of bare openssl recipes have none.',
);
const rootKeyIdentifier = accept("The root names no key of its issuer that could be another's than its own.");
const unusedCommonName = accept(
  "The common name is never read as a server's name, whatever it says; only alternative names count.",
);
const noSuffixList = accept(
  'Which suffixes are public, only the Public Suffix List knows; a private CA has none of them. A wildcard still stands for one label with two or more after it, and the CA must be trusted for the name.',
);
const rsaWholeBytes = accept(
  '2,052 bits are no weaker than 2,048; that a key is a whole number of bytes is a rule for public CAs.',
);

/** Where the rules of the web deviate: 7 of 207. */
export const webDeviations: Deviations = {
  'pathlen::validation-ignores-pathlen-in-leaf': signingLeaf,
  'rfc5280::ca-as-leaf': signingLeaf,
  'rfc5280::eku::ee-without-eku': refuse(
    'Contradicts webpki::eku::ee-without-eku, the same chain with the opposite answer; these are the rules of the web.',
  ),
  'rfc5280::nc::permitted-dns-match-noncritical': criticalConstraints,
  'rfc5280::nc::permitted-dns-match-more': strayCommonName,
  'webpki::nc::nc-permits-dns-san-pattern': strayCommonName,
  'webpki::san::leftmost-wildcard-san': strayCommonName,
};

/** Where the rules for private CAs deviate: formalities, none of them a way to be trusted for what one isn't. */
export const privateDeviations: Deviations = {
  'pathlen::validation-ignores-pathlen-in-leaf': signingLeaf,
  'rfc5280::ca-as-leaf': signingLeaf,
  'rfc5280::root-and-intermediate-swapped': refuse(
    'A path that ends at an intermediate is trusted by choice only (partialChain).',
  ),

  'crl::crlnumber-missing': accept(
    'The number tells the newer of two lists, which thisUpdate does as well. openssl ca -gencrl, Easy-RSA and cfssl write none, and OpenSSL and Go take such lists.',
  ),
  'rfc5280::pc::ica-noncritical-pc': accept(
    "The constraints are processed whether or not they are marked critical (RFC 5280 6.1.4 i). To mark them is the CA's duty, under earlier rules its choice.",
  ),
  'rfc5280::aki::leaf-missing-aki': keyIdentifierHint,
  'rfc5280::aki::intermediate-missing-aki': keyIdentifierHint,
  'rfc5280::ski::root-missing-ski': keyIdentifierHint,
  'rfc5280::ski::intermediate-missing-ski': keyIdentifierHint,
  'rfc5280::nc::permitted-dns-match-noncritical': criticalConstraints,
  'rfc5280::san::noncritical-with-empty-subject': accept(
    'Alternative names are read whether critical or not; cert-manager issued such certificates for years.',
  ),
  'rfc5280::san::underscore-dns': accept(
    'The name matches to the letter; Compose services and Windows hosts have underscores.',
  ),
  'rfc5280::serial::too-long': accept(
    'A serial number of 21 bytes names a certificate as well as one of 20; it is compared as bytes everywhere, CRLs included.',
  ),
  'rfc5280::serial::zero': accept(
    'RFC 5280 4.1.2.2 asks verifiers to handle such numbers gracefully; old recipes start counting at 0.',
  ),
  'rfc5280::root-non-critical-basic-constraints': accept(
    "The CA flag and the path length are demanded and enforced; Easy-RSA and older openssl configurations don't mark them critical.",
  ),

  'webpki::aki::root-with-aki-missing-keyidentifier': rootKeyIdentifier,
  'webpki::cn::ipv4-hex-mismatch': unusedCommonName,
  'webpki::cn::ipv4-leading-zeros-mismatch': unusedCommonName,
  'webpki::cn::ipv6-uppercase-mismatch': unusedCommonName,
  'webpki::cn::ipv6-uncompressed-mismatch': unusedCommonName,
  'webpki::cn::ipv6-non-rfc5952-mismatch': unusedCommonName,
  'webpki::cn::punycode-not-in-san': unusedCommonName,
  'webpki::cn::utf8-vs-punycode-mismatch': unusedCommonName,
  'webpki::cn::not-in-san': unusedCommonName,
  'webpki::cn::case-mismatch': unusedCommonName,
  'webpki::eku::ee-anyeku': accept(
    "The leaf names the server purpose itself; that it adds anyExtendedKeyUsage takes nothing away. On its own that wouldn't do.",
  ),
  'webpki::eku::ee-critical-eku': accept(
    'RFC 5280 4.2.1.12 lets the extension be critical; it is enforced either way.',
  ),
  'webpki::eku::ee-without-eku': accept(
    'Without the extension RFC 5280 allows every purpose, as rfc5280::eku::ee-without-eku, the same chain, wants it; bare openssl recipes leave it out.',
  ),
  'webpki::eku::root-has-eku': accept(
    "A root's purposes are enforced for the whole path, which is stricter than leaving them out.",
  ),
  'webpki::san::public-suffix-multi-label-wildcard-san': noSuffixList,
  'webpki::san::public-suffix-private-namespace-wildcard-san': noSuffixList,
  'webpki::san::san-critical-with-nonempty-subject': accept(
    'Alternative names are read whether critical or not.',
  ),
  'webpki::forbidden-rsa-not-divisible-by-8-in-root': rsaWholeBytes,
  'webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf': rsaWholeBytes,
  'webpki::ee-basicconstraints-ca': accept(
    'RFC 5280 lets a CA certificate be a leaf: what openssl req -x509 makes by default. Its key usage still keeps it from issuing any.',
  ),
};
