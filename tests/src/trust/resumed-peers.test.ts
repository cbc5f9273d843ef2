/** Peers whose session is resumed, while what decides on them has changed: they are verified by the rules of now, as new ones are. */
import { constants, randomBytes } from 'node:crypto';
import type { Server } from 'node:tls';
import type { Authority } from '@knsock/certs';
import {
  createCredentials,
  crlRevocation,
  type ConnectOptions,
  type Credentials,
  type CrlRevocationOptions,
  type ListenOptions,
  type RevocationSource,
  type Rotation,
} from '@knsock/core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { hear } from '../support/heard.js';
import { bare, stockServer, ticketOf, versions, visit, type Version } from '../support/raw-tls.js';
import { createWorld, portOf, type World } from '../support/world.js';
import { ourVisit } from './attacks/our-client.js';
import { ourServer } from './attacks/ours.js';

const DAY = 86_400_000;
const SERVER_NAME = 'a.test';
const names = { client: ['app.example'], server: [SERVER_NAME, 'b.test'] } as const;
type Kind = keyof typeof names;

let world: World;
let other: World;
let otherList: string;
const made = {} as Record<Kind, Awaited<ReturnType<typeof peersOf>>>;
beforeAll(async () => {
  [world, other] = await Promise.all([createWorld(), createWorld('Other CA')]);
  otherList = (await other.authority.crl()).pem;
  made.client = await peersOf('client');
  made.server = await peersOf('server');
});
afterEach(() => {
  vi.useRealTimers();
});

async function issued(authority: Authority, kind: Kind, days = 7): Promise<Credentials> {
  const { chain, key } = await authority.issue({ kind, commonName: 'app', names: [...names[kind]], days });
  return createCredentials({ cert: chain, key, ca: world.authority.root });
}

/** Peers, and the lists of the root before and after the revocation of one and of another's CA. */
async function peersOf(kind: Kind) {
  const { authority } = world;
  const intermediate = await authority.intermediate({ commonName: `CA of a ${kind}`, days: 20 });
  const [peer, next, short, below] = await Promise.all([
    issued(authority, kind),
    issued(authority, kind),
    issued(authority, kind, 1),
    issued(intermediate, kind),
  ]);
  const listBelow = (await intermediate.crl()).pem;
  const clean = (await authority.crl({ days: 1 })).pem;
  await authority.revoke(peer.material.cert, 'key-compromise');
  const withPeer = (await authority.crl({ days: 1 })).pem;
  await authority.revoke(intermediate.certificate, 'ca-compromise');
  const withCa = (await authority.crl()).pem;
  return { peer, next, short, below, listBelow, clean, withPeer, withCa };
}

const trusting = (credentials: Credentials, ...ca: string[]): Credentials =>
  createCredentials({ ...credentials.material, ca });
const pinOf = ({ certificate }: Credentials): string => certificate?.spkiPin as string;
const listed = (crls: string[], policy: Omit<CrlRevocationOptions, 'crls'> = {}) => ({
  revocation: crlRevocation({ crls, ...policy }),
});

/** Whose answers change while its version stays, as those of a database may. */
function changing(): RevocationSource & { status: 'good' | 'revoked' | 'unknown' } {
  const source = {
    status: 'good' as 'good' | 'revoked' | 'unknown',
    version: 'never changes',
    onChange: () => () => undefined,
    check: () => ({ status: source.status, position: 1 }),
  };
  return source;
}

/** What both tables have in common: the trust in a peer, first and later. */
interface Change<Trust> {
  /** Default: the peer that the lists may revoke. */
  readonly peer?: Credentials;
  readonly before: Trust;
  readonly after: Trust;
  /** Happens between them. */
  readonly meanwhile?: () => void;
  /** Days between them. */
  readonly days?: number;
}

type Shared = Pick<ConnectOptions, 'credentials' | 'authorize' | 'revocation' | 'pins'>;

/** How each change ends for a peer; the same for a client at a server, and for a server at a client. */
const common: Readonly<
  Record<string, (kind: Kind, own: Credentials) => Change<Shared> & { readonly refused: string | null }>
> = {
  'its CA was removed': (_kind, own) => ({
    before: { credentials: trusting(own, world.authority.root, other.authority.root) },
    after: { credentials: trusting(own, other.authority.root) },
    refused: 'UNKNOWN_ISSUER',
  }),
  'its CA was replaced': (_kind, own) => ({
    before: { credentials: trusting(own, world.authority.root) },
    after: { credentials: trusting(own, other.authority.root) },
    refused: 'UNKNOWN_ISSUER',
  }),
  'another CA was added': (_kind, own) => ({
    before: { credentials: trusting(own, world.authority.root) },
    after: { credentials: trusting(own, world.authority.root, other.authority.root) },
    refused: null,
  }),
  'a list revoked it': (kind) => ({
    before: listed([made[kind].clean]),
    after: listed([made[kind].withPeer]),
    refused: 'REVOKED',
  }),
  'the list in its credentials revoked it': (kind, own) => {
    const withList = (crl: string) => ({
      credentials: createCredentials({ ...own.material, ca: world.authority.root, crl }),
    });
    return {
      before: withList(made[kind].clean),
      after: withList(made[kind].withPeer),
      refused: 'REVOKED',
    };
  },
  'a list revoked its intermediate': (kind) => ({
    peer: made[kind].below,
    before: listed([made[kind].clean, made[kind].listBelow], { depth: 'chain' }),
    after: listed([made[kind].withCa, made[kind].listBelow], { depth: 'chain' }),
    refused: 'REVOKED',
  }),
  'a list revoked its intermediate, where lists are required for the leaf alone': (kind) => ({
    peer: made[kind].below,
    before: listed([made[kind].clean, made[kind].listBelow]),
    after: listed([made[kind].withCa, made[kind].listBelow]),
    refused: 'REVOKED',
  }),
  'a source revoked it, whose version stayed': () => {
    const revocation = changing();
    return {
      before: { revocation },
      after: { revocation },
      meanwhile: () => (revocation.status = 'revoked'),
      refused: 'REVOKED',
    };
  },
  'a source no longer knew, whose version stayed': () => {
    const revocation = changing();
    return {
      before: { revocation },
      after: { revocation },
      meanwhile: () => (revocation.status = 'unknown'),
      refused: 'REVOCATION_UNKNOWN',
    };
  },
  'its list was exchanged for that of another CA': (kind) => ({
    before: listed([made[kind].clean]),
    after: listed([otherList]),
    refused: 'REVOCATION_UNKNOWN',
  }),
  'its list was exchanged for that of another CA, where unknown is accepted': (kind) => ({
    before: listed([made[kind].clean], { unknown: 'accept' }),
    after: listed([otherList], { unknown: 'accept' }),
    refused: null,
  }),
  'its list expired': (kind) => ({
    before: listed([made[kind].clean]),
    after: listed([made[kind].clean]),
    days: 2,
    refused: 'CRL_STALE',
  }),
  'its list expired, where stale is accepted': (kind) => ({
    before: listed([made[kind].clean], { stale: 'accept' }),
    after: listed([made[kind].clean], { stale: 'accept' }),
    days: 2,
    refused: null,
  }),
  'stale is no longer accepted': (kind) => ({
    before: listed([made[kind].clean], { stale: 'accept' }),
    after: listed([made[kind].clean]),
    days: 2,
    refused: 'CRL_STALE',
  }),
  'a key other than its own was pinned': (kind) => ({
    before: {},
    after: { pins: [pinOf(made[kind].next)] },
    refused: 'PIN_MISMATCH',
  }),
  'the pin was changed': (kind) => ({
    before: { pins: [pinOf(made[kind].peer)] },
    after: { pins: [pinOf(made[kind].next)] },
    refused: 'PIN_MISMATCH',
  }),
  'its key was pinned': (kind) => ({
    before: { pins: [pinOf(made[kind].next), pinOf(made[kind].peer)] },
    after: { pins: [pinOf(made[kind].peer)] },
    refused: null,
  }),
  'the rule for common names was changed': () => ({
    before: { authorize: { commonNames: ['app'] } },
    after: { authorize: { commonNames: ['admin'] } },
    refused: 'NOT_ALLOWED',
  }),
  'the rule for DNS names was changed': (kind) => ({
    before: { authorize: { dnsNames: [names[kind][0]] } },
    after: { authorize: { dnsNames: ['another.example'] } },
    refused: 'NOT_ALLOWED',
  }),
  'the function that admits answered otherwise': () => {
    let admits = true;
    const authorize = () => admits;
    return {
      before: { authorize },
      after: { authorize },
      meanwhile: () => (admits = false),
      refused: 'NOT_ALLOWED',
    };
  },
  'the function that admits was replaced': () => ({
    before: { authorize: () => true },
    after: { authorize: () => false },
    refused: 'NOT_ALLOWED',
  }),
  'its certificate expired': (kind) => ({
    peer: made[kind].short,
    before: {},
    after: {},
    days: 2,
    refused: 'EXPIRED',
  }),
};

/** Lets time pass for what we decide; OpenSSL's clock, and that of tickets, is the system's. */
function pass({ meanwhile, days }: Pick<Change<unknown>, 'meanwhile' | 'days'>): void {
  meanwhile?.();
  if (days !== undefined) vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + days * DAY });
}

const carriers: readonly (readonly [Version, 'ticket' | 'session id'])[] = [
  ...versions.map((version) => [version, 'ticket'] as const),
  ['TLSv1.2', 'session id'],
];
const withoutTickets = { secureOptions: constants.SSL_OP_NO_TICKET };

describe.each(carriers)('a client that resumes over %s, by %s', (version, carrier) => {
  type Trust = Omit<Rotation, 'credentials'> & { readonly credentials?: Credentials };
  interface Row extends Change<Trust> {
    readonly refused: boolean;
    /** What `rotate` doesn't change. */
    readonly always?: Pick<ListenOptions, 'unknownName'>;
  }
  const entry = (clientCertificates: 'none' | 'require'): Trust => ({
    sni: { [SERVER_NAME]: { credentials: world.server, clientCertificates } },
  });
  const rows: Readonly<Record<string, () => Row>> = {
    ...Object.fromEntries(
      Object.entries(common).map(([name, row]) => [
        name,
        () => {
          const { refused, ...change } = row('client', world.server);
          return { ...(change as Change<Trust>), refused: refused !== null };
        },
      ]),
    ),
    'the list was withdrawn': () => ({
      before: listed([made.client.clean]),
      after: { revocation: null },
      refused: false,
    }),
    'the name that it asked for was removed': () => ({
      always: { unknownName: 'refuse' },
      before: entry('require'),
      after: { sni: null },
      refused: true,
    }),
    'the name that it asked for was given other CAs': () => ({
      before: entry('require'),
      after: { sni: { [SERVER_NAME]: { credentials: trusting(world.server, other.authority.root) } } },
      refused: true,
    }),
    'it had to show no certificate before': () => ({
      peer: world.anonymous,
      before: entry('none'),
      after: entry('require'),
      refused: true,
    }),
    "the server's certificate was renewed": () => ({
      before: { credentials: made.server.peer },
      after: { credentials: made.server.next },
      refused: false,
    }),
  };

  const listening = (ticketSecret: Buffer, { always }: Row, trust: Trust) =>
    ourServer(version, {
      credentials: world.server,
      clientCertificates: 'require',
      ticketSecret,
      ...always,
      ...withoutNulls(trust),
    });

  describe.each(['at the same server', 'at another server with the same secret'] as const)('%s', (place) => {
    it.each(Object.entries(rows))('is verified by the rules of now: %s', async (_name, make) => {
      const row = make();
      const { peer = made.client.peer, before, after } = row;
      const client = {
        ...bare(peer),
        servername: SERVER_NAME,
        maxVersion: version,
        ...(carrier === 'session id' && withoutTickets),
      };
      const ticketSecret = randomBytes(32);
      await using first = await listening(ticketSecret, row, before);
      const begun = await visit(portOf(first), client);
      expect(begun.received).toMatch(/^admitted (app|nobody)\n$/);
      const session = ticketOf(begun);
      // Our servers keep no sessions by their id.
      expect((await visit(portOf(first), { ...client, session })).resumed).toBe(carrier === 'ticket');
      pass(row);
      await using second = place === 'at the same server' ? null : await listening(ticketSecret, row, after);
      if (second === null) await first.rotate(after);
      const port = portOf(second ?? first);
      using heard = hear('knsock:verdict');
      for (const again of [await visit(port, { ...client, session }), await visit(port, client)]) {
        if (row.refused) expect(again.received).toBe('');
        else expect(again.received).toMatch(/^admitted app/);
      }
      if (row.meanwhile === undefined) return;
      // No rule changed, so the session lives: the verdicts alone refuse.
      const resumed = carrier === 'ticket';
      expect(heard.events).toMatchObject([
        { ok: false, resumed },
        { ok: false, resumed: false },
      ]);
      expect((second ?? first).stats().refusedPeers).toBe(2);
    });
  });
});

function withoutNulls<T extends object>(trust: T): { [K in keyof T]: Exclude<T[K], null> } {
  return Object.fromEntries(Object.entries(trust).filter(([, value]) => value !== null)) as never;
}

describe.each(carriers)('a server whose session is resumed over %s, by %s', (version, carrier) => {
  type Trust = Omit<ConnectOptions, 'framing' | 'onRequest' | 'onError' | 'port'>;
  interface Row extends Change<Trust> {
    /** The end of the error's code; null where the server is still trusted. */
    readonly refused: string | null;
    /** What the server shows later. */
    readonly renewed?: Credentials;
  }
  const rows: Readonly<Record<string, () => Row>> = {
    ...Object.fromEntries(
      Object.entries(common).map(([name, row]) => [name, () => row('server', world.anonymous)]),
    ),
    'the list was withdrawn': () => ({ before: listed([made.server.clean]), after: {}, refused: null }),
    'another name is expected': () => ({
      before: {},
      after: { expectedName: 'c.test' },
      refused: 'WRONG_NAME',
    }),
    'another name is asked for': () => ({
      before: {},
      after: { servername: 'c.test' },
      refused: 'WRONG_NAME',
    }),
    'another of its names is asked for': () => ({
      before: {},
      after: { servername: 'b.test' },
      refused: null,
    }),
    'any name was accepted before': () => ({
      before: { servername: 'c.test', expectedName: { dangerouslyAnyName: true } },
      after: { servername: 'c.test' },
      refused: 'WRONG_NAME',
    }),
    'nothing was verified before': () => ({
      before: { credentials: other.anonymous, dangerouslySkipVerification: true },
      after: { credentials: other.anonymous },
      refused: 'UNKNOWN_ISSUER',
    }),
    'its pin alone counted before': () => ({
      before: { credentials: other.anonymous, pins: [pinOf(made.server.peer)], pinsOnly: true },
      after: { credentials: other.anonymous, pins: [pinOf(made.server.peer)] },
      refused: 'UNKNOWN_ISSUER',
    }),
    'its certificate was renewed': () => ({
      before: {},
      after: {},
      renewed: made.server.next,
      refused: null,
    }),
    'its certificate was renewed, and the old one revoked': () => ({
      before: listed([made.server.clean]),
      after: listed([made.server.withPeer]),
      renewed: made.server.next,
      refused: null,
    }),
    'its certificate was renewed by another CA': () => ({
      before: {},
      after: { credentials: other.anonymous },
      renewed: made.server.next,
      refused: 'UNKNOWN_ISSUER',
    }),
  };

  it.each(Object.entries(rows))('is verified by the rules of now: %s', async (_name, make) => {
    const row = make();
    const { peer = made.server.peer, before, after, refused, renewed } = row;
    const settings = {
      ...bare(peer),
      ticketKeys: randomBytes(48),
      maxVersion: version,
      ...(carrier === 'session id' && withoutTickets),
    };
    await using server = await stockServer(settings);
    keepSessions(server.server);
    const go = (trust: Trust, resume = true) =>
      ourVisit(version, server.port, {
        credentials: world.anonymous,
        servername: SERVER_NAME,
        ...trust,
        resume,
      });
    expect([await go(before), await go(before)]).toEqual([false, true]);
    pass(row);
    if (renewed) server.server.setSecureContext({ ...settings, ...bare(renewed) });
    for (const resume of [true, false]) {
      using heard = hear('knsock:verdict');
      const outcome = await go(after, resume).then(
        () => null,
        (error: unknown) => (error as { code: string }).code,
      );
      expect(outcome).toBe(refused === null ? null : `KNSOCK_PEER_${refused}`);
      // A refused resumption is followed by a full handshake: none of the verdicts may be good where the last one isn't.
      if (refused !== null) expect(heard.events.filter(({ ok }) => ok)).toEqual([]);
      if (row.meanwhile !== undefined && resume)
        expect(heard.events.map(({ resumed }) => resumed)).toEqual([true, false]);
    }
  });
});

/** Lets a stock server resume by the session's id. */
function keepSessions(server: Server): void {
  const sessions = new Map<string, Buffer>();
  server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
    sessions.set(id.toString('hex'), session);
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (error: null, session: Buffer | null) => void) => {
    done(null, sessions.get(id.toString('hex')) ?? null);
  });
}
