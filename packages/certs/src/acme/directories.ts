/** Let's Encrypt's directory: publicly trusted certificates, with rate limits. */
export const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory';

/** Let's Encrypt's directory for trying things: certificates that nobody trusts, and far higher rate limits. */
export const letsEncryptStaging = 'https://acme-staging-v02.api.letsencrypt.org/directory';
