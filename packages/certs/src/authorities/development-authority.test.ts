import { describe, expect, it } from 'vitest';
import { createDevelopmentAuthority } from './development-authority.js';
import { verifyChain } from '../inspecting/verify-chain.js';

describe('a development authority', () => {
  it('issues for local names, and the whole chain is trusted and has lists', async () => {
    const authority = await createDevelopmentAuthority();
    const { chain } = await authority.issue({
      kind: 'server',
      names: ['localhost', '127.0.0.1', '::1', 'db.internal', 'spiffe://db.internal/a', 'ann@localhost'],
    });
    const crls = [authority.rootCrl, (await authority.crl()).pem];
    const verdict = await verifyChain({ chain, ca: authority.root, name: 'localhost', crls });
    expect(verdict).toMatchObject({
      ok: true,
      path: ['CN=localhost', 'CN=Development CA (issuing)', 'CN=Development CA'],
    });
  });

  it.each([
    ...['example.com', 'bank.example.com', 'nolocalhost', '8.8.8.8', '2600::1'],
    ...['spiffe://prod.example.com/db', 'https://localhost.example.com/', 'ceo@example.com'],
  ])('signs nothing for %s', async (name) => {
    const authority = await createDevelopmentAuthority();
    const refused = authority.issue({ kind: 'server', names: [name] });
    await expect(refused).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_NAME_CONSTRAINT' });
  });

  it('can be limited to other names', async () => {
    const authority = await createDevelopmentAuthority({ permitted: ['corp.example.com'] });
    await expect(authority.issue({ kind: 'server', names: ['a.corp.example.com'] })).resolves.toBeDefined();
    await expect(authority.issue({ kind: 'server', names: ['localhost'] })).rejects.toThrow(
      'is outside corp.example.com',
    );
  });
});
