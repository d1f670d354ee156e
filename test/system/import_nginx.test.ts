/**
 * Configurations of nginx' stream as its manual has them and as people publish them, and their
 * translations, in front of the same servers: the same shares, failover and refusals.
 */
import t, { type Test } from 'tap';
import * as manners from '../support/behaviour/manners.js';
import { NONE, Pair } from '../support/behaviour/pair.js';
import { NamedDatagrams, named } from '../support/behaviour/servers.js';
import { serverAddresses } from '../support/behaviour/side.js';
import { clientHello } from '../support/client_hello.js';
import { inOwnNetwork } from '../support/own_network.js';

const AT_ONCE = 6;

if (inOwnNetwork(import.meta.url)) {
  await serverAddresses(['10.0.0.0/8']);
  t.jobs = AT_ONCE;
  for (const [name, body] of Object.entries({ ...upstreams(), ...clients() })) {
    t.test(name, { buffered: true }, body);
  }
}

type Cases = Readonly<Record<string, (t: Test) => Promise<void>>>;

function upstreams(): Cases {
  return {
    'the upstreams of the manual': async (t) => {
      const servers = await named(t, {
        a: '10.21.2.1:12345',
        b: '10.21.2.2:12345',
        down: '10.21.2.3:12345',
        spare: '10.21.2.4:12345',
        h1: '10.21.2.11:12345',
        h2: '10.21.2.12:12345',
        h3: '10.21.2.13:12345',
      });
      const pair = await Pair.start(t, 'nginx', 'documented.conf');
      await pair.answers(12345, { a: 10, b: 2 });
      await pair.answers(12347, { a: 2 }, { host: '::1' });
      await pair.sticks(12346, ['h1', 'h2', 'h3']);
      await servers.a.stop();
      await pair.answers(12345, { b: 4 });
      await servers.b.stop();
      await pair.answers(12345, { spare: 4 });
      await servers.h1.stop();
      await pair.sticks(12346, ['h2', 'h3']);
      await servers.spare.stop();
      await pair.answers(12345, { [NONE]: 2 });
      t.equal(servers.down.most, 0);
    },

    'the Kubernetes API': async (t) => {
      const servers = await named(t, {
        kube1: '10.0.6.1:6443',
        kube2: '10.0.6.2:6443',
        kube3: '10.0.6.3:6443',
      });
      const pair = await Pair.start(t, 'nginx', 'kubernetes_api.conf');
      await pair.holds(6443, { kube1: 2, kube2: 2, kube3: 2 });
      await pair.holds(6443, { kube1: 1, kube2: 1, kube3: 1 }, { host: '::1' });
      await servers.kube2.stop();
      await pair.holds(6443, { kube1: 2, kube3: 2 });
    },

    'Redis with a spare': async (t) => {
      const manner = manners.redis(() => 'master');
      const places = { first: '10.21.0.1:6379', spare: '10.21.0.2:6379' };
      const servers = await named(t, places, { manner });
      const pair = await Pair.start(t, 'nginx', 'redis.conf');
      await pair.answers(6379, { first: 4 });
      await servers.first.stop();
      await pair.answers(6379, { spare: 4 });
      await servers.first.start();
      await pair.answers(6379, { first: 4 });
    },

    'Galera by connections': async (t) => {
      const places = { g1: '10.21.1.1:3306', g2: '10.21.1.2:3306', g3: '10.21.1.3:3306' };
      const servers = await named(t, places);
      const pair = await Pair.start(t, 'nginx', 'galera.conf');
      await pair.holds(3306, { g1: 2, g2: 2, g3: 2 });
      await servers.g3.stop();
      await pair.holds(3306, { g1: 2, g2: 2 });
    },

    'one try and no other': async (t) => {
      const servers = await named(t, { a: '10.21.5.1:7000', b: '10.21.5.2:7000' });
      const pair = await Pair.start(t, 'nginx', 'one_try.conf');
      await pair.answers(7000, { a: 2, b: 2 });
      await servers.a.stop();
      await pair.answers(7000, { b: 4 });
    },

    'DNS over UDP and TCP': async (t) => {
      const places = ['10.0.1.1:53', '10.0.1.2:53', '10.0.1.3:53'] as const;
      const names = ['ns1', 'ns2', 'ns3'] as const;
      const datagrams = await Promise.all(
        places.map((place, index) => NamedDatagrams.start(t, names[index] ?? '', place)),
      );
      const streams = await named(t, { ns1: places[0], ns2: places[1], ns3: places[2] });
      const pair = await Pair.start(t, 'nginx', 'dns_udp.conf');
      await pair.draws(53, ['ns1', 'ns2'], { udp: true });
      await pair.holds(53, { ns1: 2, ns2: 2 });
      await datagrams[0]?.stop();
      await streams.ns1.stop();
      await pair.answers(53, { ns2: 4 }, { udp: true });
      await pair.answers(53, { ns2: 4 });
      await datagrams[1]?.stop();
      await streams.ns2.stop();
      await pair.answers(53, { ns3: 4 }, { udp: true });
      await pair.answers(53, { ns3: 4 });
    },
  };
}

function clients(): Cases {
  return {
    'mail for some, with the PROXY header': async (t) => {
      await named(t, { mx1: '10.21.3.1:25', mx2: '10.21.3.2:25' }, { manner: manners.smtp });
      await named(t, { imap1: '10.21.3.1:143', imap2: '10.21.3.2:143' });
      const pair = await Pair.start(t, 'nginx', 'mail.conf');
      const behind = '/v1:192.0.2.8';
      const shares = { [`mx1${behind}`]: 2, [`mx2${behind}`]: 2 };
      await pair.answers(25, shares, { from: '192.0.2.8' });
      await pair.answers(25, { [NONE]: 1 }, { from: '203.0.113.9' });
      await pair.answers(25, { [NONE]: 1 }, { from: '198.51.100.9' });
      // nginx takes the first rule that fits, and not the most specific one.
      await pair.answers(25, { [NONE]: 1 }, { from: '203.0.113.7' });
      await pair.draws(143, ['imap1', 'imap2'], { from: '203.0.113.9' });
      await pair.answers(143, { [NONE]: 1 }, { from: '192.0.2.13' });
    },

    'limits of servers and of clients': async (t) => {
      await named(t, { a: '10.21.4.1:9000', b: '10.21.4.2:9000' });
      const pair = await Pair.start(t, 'nginx', 'limits.conf');
      await pair.holds(9000, { a: 2, b: 1, [NONE]: 1 });
      await pair.holds(9001, { a: 2, [NONE]: 1 }, { from: '192.0.2.1' });
    },

    'the server name of TLS': async (t) => {
      const servers = await named(t, {
        app1: '10.21.6.1:443',
        app2: '10.21.6.2:443',
        wild: '10.21.6.3:443',
        fallback: '10.21.6.4:443',
      });
      const pair = await Pair.start(t, 'nginx', 'tls_names.conf');
      const hello = (name: string): { readonly begin: Buffer } => ({
        begin: clientHello({ names: [Buffer.from(name)] }),
      });
      await pair.answers(8443, { app1: 2, app2: 2 }, hello('app.example.org'));
      // Without "hostnames" the star is a letter.
      await pair.answers(8443, { fallback: 2 }, hello('other.example.org'));
      await pair.answers(8443, { fallback: 2 }, hello('example.net'));
      await pair.answers(8443, { fallback: 2 }, { begin: clientHello({}) });
      await servers.fallback.stop();
      await pair.answers(8443, { [NONE]: 1 }, hello('example.net'));
    },

    'names of the map': async (t) => {
      await named(t, {
        git: '10.0.3.1:443',
        app1: '10.0.3.11:443',
        app2: '10.0.3.12:443',
        other: '10.0.3.21:443',
        shop: '10.0.3.30:443',
      });
      const pair = await Pair.start(t, 'nginx', 'sni_names.conf');
      const hello = (name: string): { readonly begin: Buffer } => ({
        begin: clientHello({ names: [Buffer.from(name)] }),
      });
      await pair.answers(443, { git: 2 }, hello('git.example.org'));
      await pair.answers(443, { shop: 2 }, hello('shop.example.org'));
      await pair.answers(443, { shop: 2 }, hello('a.b.shop.example.org'));
      await pair.draws(443, ['app1', 'app2'], hello('x.apps.example.org'));
      await pair.answers(443, { other: 2 }, hello('apps.example.org'));
    },
  };
}
