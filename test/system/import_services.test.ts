/**
 * Configurations of HAProxy as people publish them for brokers, the Kubernetes API, mail and name
 * servers, and their translations, in front of the same servers: the same shares, failover and
 * refusals.
 */
import t, { type Test } from 'tap';
import * as manners from '../support/behaviour/manners.js';
import { NONE, Pair } from '../support/behaviour/pair.js';
import { Checks, named } from '../support/behaviour/servers.js';
import { serverAddresses } from '../support/behaviour/side.js';
import { makeCertificate } from '../support/certificate.js';
import { clientHello } from '../support/client_hello.js';
import { inOwnNetwork } from '../support/own_network.js';

const AT_ONCE = 6;

if (inOwnNetwork(import.meta.url)) {
  await serverAddresses(['10.0.0.0/8']);
  t.jobs = AT_ONCE;
  for (const [name, body] of Object.entries({ ...clusters(), ...mail(), ...clients() })) {
    t.test(name, { buffered: true }, body);
  }
}

type Cases = Readonly<Record<string, (t: Test) => Promise<void>>>;

function clusters(): Cases {
  return {
    'the Kubernetes API, asked over TLS': async (t) => {
      const certificate = await makeCertificate(t);
      const who = { tls: true, begin: Buffer.from('GET /who HTTP/1.0\r\n\r\n') };
      const [one, two] = await Promise.all(
        [1, 2, 3].map((node) => {
          const options = { certificate, name: `cp${node}` };
          return Checks.start(t, `10.5.0.1${node}:6443`, ['/healthz'], options);
        }),
      );
      const pair = await Pair.start(t, 'haproxy', 'kubernetes_api.cfg');
      await pair.answers(8443, { cp1: 2, cp2: 2, cp3: 2 }, who);
      one?.set();
      await pair.answers(8443, { cp2: 2, cp3: 2 }, who);
      two?.set();
      await pair.answers(8443, { cp3: 2 }, who);
    },

    'the Kubernetes API, by connects': async (t) => {
      const servers = await named(t, {
        kube1: '10.15.0.1:6443',
        kube2: '10.15.0.2:6443',
        kube3: '10.15.0.3:6443',
      });
      const pair = await Pair.start(t, 'haproxy', 'kubernetes_tcp.cfg');
      await pair.answers(6443, { kube1: 3, kube2: 3, kube3: 3 });
      await servers.kube1.stop();
      await pair.answers(6443, { kube2: 2, kube3: 2 });
      await servers.kube2.stop();
      await servers.kube3.stop();
      await pair.answers(6443, { [NONE]: 2 });
    },

    'an ingress that reads the PROXY header': async (t) => {
      const http = await named(t, { worker1: '10.15.1.1:30080', worker2: '10.15.1.2:30080' });
      await named(t, { worker1: '10.15.1.1:30443', worker2: '10.15.1.2:30443' });
      const pair = await Pair.start(t, 'haproxy', 'kubernetes_ingress.cfg');
      const from = '192.0.2.77';
      const [two, one] = ['/v2:192.0.2.77', '/v1:192.0.2.77'];
      await pair.answers(80, { [`worker1${two}`]: 2, [`worker2${two}`]: 2 }, { from });
      await pair.answers(443, { [`worker1${one}`]: 2, [`worker2${one}`]: 2 }, { from });
      await http.worker1.stop();
      await pair.answers(80, { [`worker2${two}`]: 3 }, { from });
    },

    'RabbitMQ by connects': async (t) => {
      const servers = await named(t, {
        mq1: '10.3.0.1:5672',
        mq2: '10.3.0.2:5672',
        mq3: '10.3.0.3:5672',
      });
      const pair = await Pair.start(t, 'haproxy', 'rabbitmq_plain.cfg');
      await pair.answers(5672, { mq1: 2, mq2: 2, mq3: 2 });
      await servers.mq1.stop();
      await pair.answers(5672, { mq2: 3, mq3: 3 });
      await servers.mq1.start();
      await pair.answers(5672, { mq1: 2, mq2: 2, mq3: 2 });
    },

    'RabbitMQ by its own checks': async (t) => {
      await named(t, {
        rabbit1: '10.14.0.1:5672',
        rabbit2: '10.14.0.2:5672',
        rabbit3: '10.14.0.3:5672',
      });
      const path = '/api/health/checks/alarms';
      const [one, two, three] = await Promise.all(
        [1, 2, 3].map((last) => Checks.start(t, `10.14.0.${last}:15672`, [path])),
      );
      const pair = await Pair.start(t, 'haproxy', 'rabbitmq_health.cfg');
      await pair.holds(5672, { rabbit1: 2, rabbit2: 2, rabbit3: 2 });
      three?.set();
      await pair.holds(5673, { rabbit1: 2, rabbit2: 2 });
      one?.set();
      two?.set();
      await pair.answers(5672, { [NONE]: 2 });
      one?.set(path);
      await pair.answers(5672, { rabbit1: 2 });
    },

    'MQTT by a draw': async (t) => {
      const servers = await named(t, {
        emqx1: '10.19.3.1:1883',
        emqx2: '10.19.3.2:1883',
        emqx3: '10.19.3.3:1883',
      });
      const pair = await Pair.start(t, 'haproxy', 'mqtt.cfg');
      await pair.draws(1883, ['emqx1', 'emqx2', 'emqx3']);
      await servers.emqx2.stop();
      await pair.draws(1883, ['emqx1', 'emqx3']);
    },

    'MQTT by the hash of the client': async (t) => {
      const servers = await named(t, { m1: '10.9.3.1:1883', m2: '10.9.3.2:1883' });
      const pair = await Pair.start(t, 'haproxy', 'mqtt_hash.cfg');
      await pair.sticks(1883, ['m1', 'm2']);
      await servers.m1.stop();
      await pair.sticks(1883, ['m2']);
    },
  };
}

function mail(): Cases {
  return {
    'SMTP with the PROXY header': async (t) => {
      const manner = manners.smtp;
      const servers = await named(t, { mx1: '10.16.1.1:25', mx2: '10.16.1.2:25' }, { manner });
      const pair = await Pair.start(t, 'haproxy', 'smtp.cfg');
      const from = '192.0.2.8';
      const behind = '/v1:192.0.2.8';
      await pair.holds(25, { [`mx1${behind}`]: 2, [`mx2${behind}`]: 2 }, { from });
      await servers.mx1.stop();
      await pair.answers(587, { [`mx2${behind}`]: 3 }, { from });
    },

    'SMTP for some': async (t) => {
      const manner = manners.smtp;
      await named(t, { mail1: '10.16.0.1:25', mail2: '10.16.0.2:25' }, { manner });
      const late = await named(t, { mail1: '10.16.0.1:587', mail2: '10.16.0.2:587' }, { manner });
      const pair = await Pair.start(t, 'haproxy', 'smtp_relay.cfg');
      await pair.answers(25, { mail1: 2, mail2: 2 }, { from: '198.51.100.1' });
      await pair.answers(25, { [NONE]: 2 }, { from: '203.0.113.1' });
      await pair.answers(587, { mail1: 3 }, { from: '192.0.2.1' });
      await pair.answers(587, { [NONE]: 2 }, { from: '198.51.100.1' });
      await late.mail1.stop();
      await pair.answers(587, { mail2: 3 }, { from: '192.0.2.1' });
    },

    'IMAP that remembers its clients': async (t) => {
      const certificate = await makeCertificate(t);
      const places = { im1: '10.4.0.11:993', im2: '10.4.0.12:993', im3: '10.4.0.13:993' };
      const servers = await named(t, places, { certificate });
      const pair = await Pair.start(t, 'haproxy', 'imap_sticky.cfg');
      await pair.sticks(993, ['im1', 'im2'], { tls: true });
      await servers.im1.stop();
      await pair.sticks(993, ['im2'], { tls: true });
    },

    'DNS over TCP': async (t) => {
      const places = { ns1: '10.17.0.1:53', ns2: '10.17.0.2:53' };
      const servers = await named(t, places, { manner: manners.dns });
      const pair = await Pair.start(t, 'haproxy', 'dns_tcp.cfg');
      await pair.answers(53, { ns1: 3, ns2: 3 });
      await servers.ns2.stop();
      await pair.answers(53, { ns1: 3 });
    },
  };
}

function clients(): Cases {
  return {
    'shares by weight': async (t) => {
      const servers = await named(t, {
        large: '10.18.1.1:8000',
        middle: '10.18.1.2:8000',
        little: '10.18.1.3:8000',
        leaving: '10.18.1.4:8000',
        off: '10.18.1.5:8000',
      });
      const pair = await Pair.start(t, 'haproxy', 'weights.cfg');
      await pair.answers(8080, { large: 6, middle: 4, little: 2 });
      t.equal(servers.leaving.most + servers.off.most, 0);
    },

    'the client decides where to': async (t) => {
      const servers = await named(t, {
        fast: '10.19.0.1:143',
        slow: '10.19.0.2:143',
        one: '10.19.0.3:143',
        two: '10.19.0.4:143',
      });
      const pair = await Pair.start(t, 'haproxy', 'client_routes.cfg');
      await pair.answers(993, { fast: 2 }, { from: '192.0.2.9' });
      await pair.answers(993, { slow: 2 }, { from: '198.51.100.127' });
      await pair.answers(993, { slow: 2 }, { from: '198.51.100.200' });
      await pair.answers(993, { one: 2, two: 2 }, { from: '198.51.100.128' });
      await servers.fast.stop();
      await pair.answers(993, { [NONE]: 1 }, { from: '192.0.2.9' });
    },

    'which clients may connect': async (t) => {
      await named(t, { l1: '10.7.0.1:389' }, { manner: manners.ldap });
      await named(t, { b1: '10.7.0.11:22', b2: '10.7.0.12:22' });
      const own = ['10.77.0.0/16'];
      const pair = await Pair.start(t, 'haproxy', 'access_lists.cfg', { own });
      await pair.answers(389, { l1: 2 }, { from: '192.0.2.5' });
      await pair.answers(389, { l1: 2 }, { from: '198.51.100.7' });
      await pair.answers(389, { [NONE]: 1 }, { from: '198.51.100.8' });
      await pair.answers(389, { [NONE]: 1 }, { from: '192.0.2.201' });
      await pair.draws(2222, ['b1', 'b2'], { from: '10.77.1.2' });
      await pair.answers(2222, { [NONE]: 1 }, { from: '192.0.2.5' });
    },

    'how many a client may have': async (t) => {
      await named(t, { one: '10.7.1.1:7777' });
      const pair = await Pair.start(t, 'haproxy', 'limits.cfg');
      await pair.holds(7777, { one: 10, [NONE]: 1 }, { from: '192.0.2.31' });
    },

    'the server name of TLS': async (t) => {
      const servers = await named(t, {
        git1: '10.6.0.1:443',
        app1: '10.6.0.11:443',
        app2: '10.6.0.12:443',
        s1: '10.6.0.21:443',
        o1: '10.6.0.31:443',
      });
      const pair = await Pair.start(t, 'haproxy', 'sni_routing.cfg');
      const hello = (name: string): { readonly begin: Buffer } => ({
        begin: clientHello({ names: [Buffer.from(name)] }),
      });
      await pair.answers(443, { git1: 2 }, hello('git.example.org'));
      await pair.answers(443, { git1: 2 }, hello('GIT.example.org'));
      await pair.answers(443, { o1: 2 }, hello('www.example.org'));
      await pair.sticks(443, ['app1', 'app2'], hello('a.apps.example.org'));
      await servers.app2.stop();
      await pair.sticks(443, ['app1'], hello('b.c.apps.example.org'));
    },

    'SSH by the address of the client': async (t) => {
      const servers = await named(t, {
        bastion1: '10.19.1.1:22',
        bastion2: '10.19.1.2:22',
        bastion3: '10.19.1.3:22',
      });
      const pair = await Pair.start(t, 'haproxy', 'ssh_source.cfg');
      const before = await pair.sticks(2222, ['bastion1', 'bastion2', 'bastion3']);
      await servers.bastion3.stop();
      const after = await pair.sticks(2222, ['bastion1', 'bastion2']);
      // A client of another server stays where it is: that is what "consistent" promises.
      for (const [proxy, places] of before) {
        for (const [client, server] of places) {
          if (server === 'bastion3') continue;
          t.equal(after.get(proxy)?.get(client), server, `${client} stays under ${proxy}`);
        }
      }
    },

    'behind another balancer': async (t) => {
      await named(t, { pg1: '10.19.2.1:5432', pg2: '10.19.2.2:5432' });
      const pair = await Pair.start(t, 'haproxy', 'behind_balancer.cfg');
      const begin = Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 4711 5432\r\n');
      const behind = '/v2:203.0.113.9';
      await pair.holds(5432, { [`pg1${behind}`]: 2, [`pg2${behind}`]: 2 }, { begin });
      await pair.answers(5432, { [NONE]: 1 });
    },
  };
}
