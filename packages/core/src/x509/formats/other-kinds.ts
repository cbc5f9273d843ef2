/** Files in formats whose readers are loaded when one comes, told by how they begin. */

const PUTTY = /^\uFEFF?PuTTY-User-Key-File-\d+: *\S/;
const keystores: Readonly<Record<string, 'JKS' | 'JCEKS'>> = { feedfeed: 'JKS', cececece: 'JCEKS' };

/** Whether a text is a private key of PuTTY, of whatever version. */
export const isPuttyKey = (text: string): boolean => PUTTY.test(text);

/** Whether a key of PuTTY needs a passphrase. */
export const isLockedPuttyKey = (text: string): boolean => !/^Encryption: *none\s*$/m.test(text);

/** Which kind of Java's old key stores bytes are. */
export const javaKeystoreKind = (bytes: Uint8Array): 'JKS' | 'JCEKS' | undefined =>
  keystores[Buffer.from(bytes.subarray(0, 4)).toString('hex')];
