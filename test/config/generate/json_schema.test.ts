/** What an editor says of a configuration is what sluice says of it, as far as it can see. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { confFile } from '../../../src/config/generate/documents.js';
import { loadConfig } from '../../../src/config/load.js';
import { readToml } from '../../../src/config/toml.js';
import { isValid } from '../../support/json_schema.js';

const schema: unknown = JSON.parse(readFileSync(confFile('sluice.schema.json'), 'utf8'));

const editorAccepts = (text: string): boolean => {
  const read = readToml(text);
  return read.ok && isValid(schema, read.tree);
};

t.test('an editor accepts every file in conf/', async (t) => {
  const examples = readdirSync(confFile('examples')).map((name) => `examples/${name}`);
  for (const name of ['minimal.toml', 'annotated.toml', ...examples]) {
    t.ok(editorAccepts(readFileSync(confFile(name), 'utf8')), name);
  }
});

t.test('what an editor refuses, sluice refuses', async (t) => {
  const refused = [
    'unknown = 1',
    '[daemon]\nengine = "epoll"',
    '[daemon]\nengine = "fast"',
    '[daemon]\nworkers = 0',
    '[daemon]\nworkers = 1.5',
    '[daemon]\nshutdown_timeout = 5',
    '[daemon]\nshutdown_timeout = "5"',
    '[admin]\nsocket_users = "ada"',
    '[listeners."a b"]\nbind = "127.0.0.1:0"\npool = "p"\n[pools.p]',
    '[listeners.a]\npool = "p"\n[pools.p]',
    '[listeners.a]\nbind = "127.0.0.1:0"',
    '[listeners.a]\nbind = []\npool = "p"\n[pools.p]',
    '[pools.p]\nretries = -1',
    '[pools.p]\nretries = "2"',
    '[pools.p]\npolicy = "fastest"',
    '[[pools.p.backends]]\nname = "a"',
    '[[pools.p.backends]]\naddress = "a:1"\nname = "a b"',
    '[pools.p.health]\nrole = "primary"',
    '[pools.p.health]\nprobe = "tcp"\nsend = "x"',
    '[pools.p.health]\nprobe = "dns"',
    '[pools.p.health]\nprobe = "http"\nstatus = 99',
    '[pools.p.health]\nprobe = "http"\nstatus = []',
    '[pools.p.health]\nprobe = "http"\npath = "health"',
    '[pools.p.health]\nprobe = "redis"\npassword_file = "secret"',
    '[pools.p.health]\nsteps = [{ say = "x" }]',
    '[pools.p.outlier]\ndry_run = "no"',
  ];
  for (const text of refused) {
    t.notOk(editorAccepts(text), `an editor refuses ${text}`);
    t.notOk(loadConfig(text, 'f').ok, `sluice refuses ${text}`);
  }
});

t.test('what sluice accepts, an editor accepts', async (t) => {
  const accepted = [
    '',
    '[daemon]\nworkers = 8',
    '[admin]\nhttp = ""\nsocket = ""',
    '[admin]\nsocket = "/run/x"\nsocket_group = "ops"\nsocket_users = ["ada", "1000"]',
    '[listeners.a]\nbind = "127.0.0.1:0"\npool = "p"\n[pools.p]',
    '[listeners.a]\nbind = ["127.0.0.1:0", "unix:/x"]\npool = "p"\n[pools.p]',
    '[pools.p.health]\nprobe = "http"\nstatus = [200, "300-399"]',
    '[pools.p.health]\nprobe = "redis"\npassword_file = "/run/secrets/ré"',
    '[pools.p.health]\nprobe = "send-expect"\nsteps = [{ send = "x" }]',
    '[pools.p]\nhash.balance_factor = 0',
  ];
  for (const text of accepted) {
    t.ok(loadConfig(text, 'f').ok, `sluice accepts ${text}`);
    t.ok(editorAccepts(text), `an editor accepts ${text}`);
  }
});
