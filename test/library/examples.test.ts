/** Every program of examples/ runs to its end by itself, and says what it should. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { mustRun } from '../support/process.js';
import { repositoryRoot } from '../support/repository.js';
import { answering, nxdomain, startFakeDns } from '../support/servers/fake_dns.js';

const FOLDER = join(repositoryRoot, 'examples');

const SAYS: Readonly<Record<string, RegExp>> = {
  'graceful_shutdown.mjs': /^serving: ready says 200\ndraining: ready says 503\ngone$/,
  'kubernetes_dns.mjs': /^10\.1\.0\.1:8080 up\n10\.1\.0\.2:8080 up$/,
  'registry_events.mjs': /^127\.0\.0\.1:7001 127\.0\.0\.1:7002\n127\.0\.0\.1:7003 joined$/,
  'users_api.mjs': /60 requests served, 0 failed$/,
};

t.test('there is no other example', async (t) => {
  t.same(readdirSync(FOLDER).sort(), Object.keys(SAYS).sort());
});

for (const [name, said] of Object.entries(SAYS)) {
  t.test(name, async (t) => {
    const dns = await startFakeDns(t);
    dns.reply = (query) => {
      const [question] = query.questions ?? [];
      if (question?.type !== 'A') return nxdomain(query);
      const pods = ['10.1.0.1', '10.1.0.2'];
      return answering(
        query,
        pods.map((data) => ({ type: 'A', name: question.name, ttl: 5, data })),
      );
    };
    const env = { SERVICE: 'users.default.svc', DNS_SERVER: `127.0.0.1:${dns.port}` };
    t.match((await mustRun(process.execPath, [join(FOLDER, name)], { env })).trim(), said);
  });
}
