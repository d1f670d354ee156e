/**
 * TCP contract: the addresses of both ends can be read until `closed` has returned, whatever ended
 * it.
 */
import type { Test } from 'tap';
import type { PairId } from '../../../src/core/brand.js';
import { type Endpoint, formatAddress, ipEndpoint } from '../../../src/core/endpoint.js';
import { LINGER_MS } from '../../../src/session/tcp_port.js';
import { type Peer, refusingEndpoint } from '../../support/peer.js';
import type { Answers } from '../../support/tcp_driver.js';
import { type Bench, EARLY_BYTES, type MakeEngine, withEngine } from './bench.js';

interface Way {
  readonly answers?: (bench: Bench) => Answers;
  /** What the client and the backend do after the connection. */
  readonly act?: (client: Peer, bench: Bench, pair: PairId) => Promise<void>;
}

const BINDS: Readonly<Record<string, Endpoint>> = {
  '127.0.0.1': ipEndpoint(4, '127.0.0.1', 0),
  '0.0.0.0': ipEndpoint(4, '0.0.0.0', 0),
  '[::1]': ipEndpoint(6, '::1', 0),
  '[::]': ipEndpoint(6, '::', 0),
};

const relaying = ({ driver, backend }: Bench): Answers => ({
  accepted: (pair) => driver.engine.dial(pair, backend.endpoint, null),
  dialled: (pair) => driver.engine.relay(pair),
});

const WAYS: Readonly<Record<string, Way>> = {
  'a reset before a dial': {
    act: async (_client, { driver }, pair) => driver.close(pair, 'reset'),
  },
  'a flush before a dial': {
    act: async (client, { driver }, pair) => {
      driver.close(pair, 'flush');
      client.finish();
    },
  },
  'a bad header': {
    answers: ({ driver }) => ({
      ...closing(driver, 'earlyBytes', 'reset'),
      accepted: (pair) => driver.engine.readEarly(pair, EARLY_BYTES),
    }),
    act: async (client) => client.send('GET'),
  },
  'a failed dial': {
    answers: ({ driver }) => ({
      ...closing(driver, 'dialFailed', 'reset'),
      accepted: (pair) => driver.engine.dial(pair, refused, null),
    }),
  },
  'a client that resets while it waits': { act: async (client) => client.reset() },
  'a client that resets in the relay': {
    answers: relaying,
    act: async (client, bench) => {
      await relayed(bench);
      client.reset();
    },
  },
  'a backend that resets': {
    answers: relaying,
    act: async (_client, bench) => (await relayed(bench)).reset(),
  },
  'an exchange that finishes': {
    answers: relaying,
    act: async (client, bench) => {
      const peer = await relayed(bench);
      peer.finish('answer');
      client.finish('question');
    },
  },
  'a flush in the relay': {
    answers: ({ driver, backend }) => ({
      ...closing(driver, 'dialled', 'flush'),
      accepted: (pair) => driver.engine.dial(pair, backend.endpoint, null),
    }),
  },
  'a reset in the relay': {
    answers: ({ driver, backend }) => ({
      accepted: (pair) => driver.engine.dial(pair, backend.endpoint, null),
      dialled: (pair) => {
        driver.engine.relay(pair);
        driver.close(pair, 'reset');
      },
    }),
  },
};

let refused: Endpoint;

async function relayed({ driver, backend }: Bench): Promise<Peer> {
  const peer = await backend.next();
  await driver.next('dialled');
  return peer;
}

function closing(
  driver: Bench['driver'],
  edge: 'earlyBytes' | 'dialFailed' | 'dialled',
  how: 'flush' | 'reset',
): Answers {
  return { [edge]: (pair: PairId) => driver.close(pair, how) };
}

export function addressesContract(t: Test, make: MakeEngine): void {
  for (const [bind, listen] of Object.entries(BINDS)) {
    for (const [way, { answers, act }] of Object.entries(WAYS)) {
      withEngine(
        t,
        make,
        `the addresses of a client of ${bind} are known after ${way}`,
        async (bench, t) => {
          refused = await refusingEndpoint();
          const { driver, listener } = bench;
          const seen: string[] = [];
          driver.answers = {
            ...answers?.(bench),
            closed: (pair) => {
              const { engine } = driver;
              seen.push(formatAddress(engine.client(pair)), formatAddress(engine.local(pair)));
            },
          };
          const client = await bench.connect();
          const { localAddress = '', localPort = 0, remoteAddress = '' } = client.socket;
          await act?.(client, bench, await driver.nextPair());
          await bench.endInTime(LINGER_MS + 1_000);
          const family = listen.kind === 'unix' ? 4 : listen.family;
          const port = listener.kind === 'unix' ? 0 : listener.port;
          t.same(seen, [
            formatAddress(ipEndpoint(family, localAddress, localPort)),
            formatAddress(ipEndpoint(family, remoteAddress, port)),
          ]);
        },
        { listen },
      );
    }
  }
}
