// Made from errors/*.yaml by `npm run format`: change it there.

interface CodeFacts {
  /** What to try next, in one sentence. */
  readonly hint: string;
  /** Whether the same call may succeed when simply repeated. */
  readonly retryable: boolean;
}

const final = (hint: string): CodeFacts => ({ hint, retryable: false });
const passing = (hint: string): CodeFacts => ({ hint, retryable: true });

/** Every code of a failure in making, keeping or reading certificates. */
export const codes = {
  KNSOCK_CERTIFICATE_NAME: final(
    'Names are a DNS name, an IP address, a URI with "://", or an e-mail address with "@".',
  ),
  KNSOCK_CERTIFICATE_SUBJECT: final(
    'Subject fields are short text: 64 characters for names, 2 letters for country.',
  ),
  KNSOCK_CERTIFICATE_VALIDITY: final(
    'Choose a whole number of days from 1 to maxDays; raise maxDays if a longer validity is intended.',
  ),
  KNSOCK_CERTIFICATE_NAME_CONSTRAINT: final(
    "Name constraints don't permit this authority to sign for that name; use another authority.",
  ),
  KNSOCK_CERTIFICATE_PATH_LENGTH: final(
    'Create the authority with a greater pathLength to let it sign further authorities.',
  ),
  KNSOCK_CERTIFICATE_NOT_AN_AUTHORITY: final(
    'Did you pass a server or client certificate instead of the CA certificate?',
  ),
  KNSOCK_CERTIFICATE_KEY: final('Use P-256, P-384, Ed25519, or RSA of 2,048 to 4,096 bits.'),
  KNSOCK_CERTIFICATE_KEY_MISMATCH: final('Use the key that belongs to the certificate.'),
  KNSOCK_CERTIFICATE_PASSPHRASE: final('Is the passphrase right, and given at all?'),
  KNSOCK_CERTIFICATE_MALFORMED: final(
    'Is that the right file? Expected PEM text ("-----BEGIN …") or DER bytes.',
  ),
  KNSOCK_CERTIFICATE_UNSUPPORTED: final(
    'Convert it with openssl first, or create it again with current algorithms.',
  ),
  KNSOCK_CERTIFICATE_REQUEST_SIGNATURE: final(
    'The request was changed after it was signed; ask for a new one.',
  ),
  KNSOCK_CERTIFICATE_POLICY: final(
    'Allow the name in the policy (the command: --allow NAME), or ask for a request without it.',
  ),
  KNSOCK_CERTIFICATE_NOT_ISSUED_HERE: final(
    'Is this the authority that issued it? Pass the certificate itself if only its serial number is unknown.',
  ),
  KNSOCK_CERTIFICATE_CHAIN: final('Add the missing issuer: each certificate must be issued by the next.'),
  KNSOCK_CERTIFICATE_EXISTS: final('Choose another name, or set overwrite: true to replace it.'),
  KNSOCK_CERTIFICATE_NOT_FOUND: final(
    'Is the path correct, relative to the working directory of the program?',
  ),
  KNSOCK_CERTIFICATE_UNREADABLE: final(
    'Does the user that runs the program have permission to read the file?',
  ),
  KNSOCK_CERTIFICATE_FILE: final(
    'Does the user that runs the program have permission to read and write there?',
  ),
  KNSOCK_CERTIFICATE_KEY_ABSENT: final(
    'Its key was never written, or is stored elsewhere; sign with an intermediate, or with a signer that holds the key.',
  ),
  KNSOCK_CERTIFICATE_LOCKED: passing(
    'Another process is writing to the store; try again when it has finished.',
  ),
  KNSOCK_CERTIFICATE_STORE: final('Restore the file from a backup, or start a new store.'),
  KNSOCK_CERTIFICATE_SIGNER: passing(
    "Does the signer's command or service work, and has it the key of the authority's certificate?",
  ),
  KNSOCK_CERTIFICATE_UNREACHABLE: passing('Is the server running there, and does it speak TLS on that port?'),
  KNSOCK_CERTIFICATE_TOKEN: final(
    'Was the complete line copied? The authority creates another token: knsock certs token.',
  ),
  KNSOCK_CERTIFICATE_ENROLMENT: final(
    "The authority's log has the reason; a token that was used, withdrawn or has expired must be replaced.",
  ),
  KNSOCK_CERTIFICATE_AUTHORITY: final(
    "Compare the fingerprint with that of the authority's root, and don't use the token until they agree.",
  ),
  KNSOCK_CERTIFICATE_HOOK: final('The certificate itself was renewed; fix the hook and run it again.'),
  KNSOCK_ACME_DIRECTORY: passing(
    "Is the directory's URL right, can this machine reach it, and does the CA report a failure of its own? For a directory with a private CA: directoryCa.",
  ),
  KNSOCK_ACME_RATE_LIMITED: passing(
    'Wait until the time that the error names (retryAt); try things at letsEncryptStaging, which has far higher limits.',
  ),
  KNSOCK_ACME_VALIDATION: final(
    'Does this program answer at the port of the challenge (443 or 80) at every address of the name, from the whole Internet?',
  ),
  KNSOCK_ACME_REFUSED: final("The message has the CA's reason."),
  KNSOCK_ACME_ACCOUNT: final('The message has what the CA wants of the account.'),
  KNSOCK_ACME_TERMS: final('Read the terms, and set agree to true if you agree.'),
  KNSOCK_ACME_PROFILE: final('Choose one of the profiles that the message lists, or leave profile out.'),
  KNSOCK_ACME_CERTIFICATE: final(
    "The current certificate stays; the CA's support can say why it issued that.",
  ),
  KNSOCK_ACME_LISTEN: final('Stop what listens there, or let it answer the validation.'),
} as const satisfies Record<string, CodeFacts>;

/** A stable name of a failure. */
export type CertificateErrorCode = keyof typeof codes;
