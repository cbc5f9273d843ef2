/**
 * Readers of formats that few programs meet: locked keys of OpenSSH, PuTTY's keys, Java's old key stores. Loaded when
 * one of them is read off the main thread, so that importing the library doesn't cost them.
 */
export { openLockedOpenSshKey } from './keys/openssh-locked.js';
export { openPuttyKey } from './keys/putty-key.js';
export { openJavaKeystore } from './pkcs12/java-keystore.js';
