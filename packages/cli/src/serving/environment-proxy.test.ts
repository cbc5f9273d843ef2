import { describe, expect, it } from 'vitest';
import { environmentProxy } from './environment-proxy.js';

const target = 'https://acme.ca.example/directory';
const proxy = 'http://proxy.example:3128';

describe('the proxy of the environment', () => {
  it.each([
    [{ HTTPS_PROXY: proxy }, proxy],
    [{ HTTPS_PROXY: 'http://other', https_proxy: proxy }, proxy],
    [{ HTTPS_PROXY: 'proxy.example:3128' }, proxy],
    [{ HTTPS_PROXY: '' }, undefined],
    [{ HTTP_PROXY: proxy }, undefined],
    [{}, undefined],
  ])('in %j is %s', (environment, expected) => {
    expect(environmentProxy(target, environment)).toBe(expected);
  });

  it.each([
    '*',
    'acme.ca.example',
    'ca.example',
    '.ca.example',
    '*.ca.example',
    'x, CA.Example y',
    'ca.example:443',
  ])("isn't used for what NO_PROXY=%s covers", (exceptions) => {
    expect(environmentProxy(target, { HTTPS_PROXY: proxy, NO_PROXY: exceptions })).toBeUndefined();
  });

  it.each(['', 'a.example', 'notca.example', 'ca.example:8443', 'e', ','])(
    'is used beside what NO_PROXY=%s covers',
    (exceptions) => {
      expect(environmentProxy(target, { HTTPS_PROXY: proxy, no_proxy: exceptions })).toBe(proxy);
    },
  );

  it.each([
    ['https://127.0.0.1:14000/dir', '127.0.0.1'],
    ['https://[::1]:14000/dir', '::1'],
    ['https://[::1]:14000/dir', '[::1]:14000'],
    ['https://[::1]:14000/dir', '0:0::0:1'],
    ['https://localhost:14000/dir', 'localhost:14000'],
    ['https://10.1.2.3/dir', '10.0.0.0/8'],
    ['https://10.1.2.3/dir', 'x.example,10.1.2.3/32'],
    ['https://10.1.2.3/dir', '10.1.0.0/16:443'],
    ['https://192.0.2.1/dir', '0.0.0.0/0'],
    ['https://[fd12::5]/dir', 'fd00::/8'],
    ['https://[fd12::5]:14000/dir', '[fd00::]/8'],
  ])("isn't used for %s where NO_PROXY has %s", (url, exceptions) => {
    expect(environmentProxy(url, { HTTPS_PROXY: proxy, NO_PROXY: exceptions })).toBeUndefined();
  });

  it.each([
    ['https://11.1.2.3/dir', '10.0.0.0/8'],
    ['https://10.1.2.3/dir', '10.0.0.0/8:8443'],
    ['https://10.1.2.3/dir', '10.0.0.0/33'],
    ['https://10.1.2.3/dir', '10.0.0.0/'],
    ['https://10.1.2.3/dir', '10.0.0.0/8/8'],
    ['https://10.1.2.3/dir', '10.0.0.0/x'],
    ['https://10.1.2.3/dir', '2.3'],
    ['https://10.1.2.3/dir', 'fd00::/8'],
    ['https://[fd12::5]/dir', '10.0.0.0/8'],
    ['https://[fe12::5]/dir', 'fd00::/8'],
    ['https://ten.example/dir', '0.0.0.0/0'],
  ])('is used for %s beside NO_PROXY=%s', (url, exceptions) => {
    expect(environmentProxy(url, { HTTPS_PROXY: proxy, NO_PROXY: exceptions })).toBe(proxy);
  });
});
