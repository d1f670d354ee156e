/**
 * What a file costs grows with its length, whatever it says: a daemon reads it on its main thread.
 * Each family writes `n` of something; CPU time is compared, so that other work on the machine does
 * not count.
 */
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { MAX_SHOWN } from '../../src/config/problems.js';

type Family = (n: number) => string;

const LISTENER = '[listeners.a]\nbind = "0.0.0.0:1"\npool = "p"\n';
const POOL = '[pools.p]\nbackends = [{address = "10.0.0.1:1"}]\n';
const each = (n: number, one: (index: number) => string, separator = '\n'): string =>
  Array.from({ length: n }, (_, index) => one(index)).join(separator);
const ip = (index: number): string => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
const inBackends = (one: (index: number) => string): Family => {
  return (n) => `${LISTENER}[pools.p]\nbackends = [${each(n, one, ',')}]`;
};

const FAMILIES: Readonly<Record<string, Family>> = {
  'backends, all different': inBackends((i) => `{address = "${ip(i)}:1"}`),
  'backends, all the same': inBackends(() => '{address = "10.0.0.1:1"}'),
  'backends of one name': inBackends((i) => `{address = "${ip(i)}:1", name = "n"}`),
  'empty backends': inBackends(() => '{}'),
  'backends that are no tables': inBackends(() => '1'),
  'backends with an unknown key': inBackends(() => '{adres = "x"}'),
  'backends with a bad weight': inBackends(() => '{weight = "x"}'),
  'backends with a poisonous key': inBackends(() => '{__proto__ = 1}'),
  'backend tables': (n) =>
    `${LISTENER}${each(n, (i) => `[[pools.p.backends]]\naddress = "${ip(i)}:1"`)}`,
  'UNIX backends of a pool for UDP': (n) =>
    inBackends((i) => `{address = "unix:/${i}"}`)(n).replace('\n', '\nprotocol = "udp"\n'),
  'unknown keys at the top': (n) => each(n, (i) => `k${i} = 1`),
  'unknown keys of a pool': (n) => `[pools.p]\n${each(n, (i) => `k${i} = 1`)}`,
  pools: (n) => LISTENER + each(n, (i) => `[pools.p${i}]\nbackends = [{address = "a:1"}]`),
  'pools with bad names': (n) => `pools = {${each(n, (i) => `"-${i}" = {}`, ',')}}`,
  'pools with a probe that lacks a user': (n) =>
    each(n, (i) => `[pools.p${i}.health]\nprobe = "postgres"\nrole = "primary"`),
  'listeners of one pool': (n) =>
    POOL + each(n, (i) => `[listeners.l${i}]\nbind = "${ip(i)}:1"\npool = "p"`),
  'listeners at one address': (n) =>
    POOL + each(n, (i) => `[listeners.l${i}]\nbind = "10.0.0.1:1"\npool = "p"`),
  'listeners and pools': (n) =>
    each(n, (i) => `[pools.p${i}]\n[listeners.l${i}]\nbind = "${ip(i)}:1"\npool = "p${i}"`),
  'listeners that name no pool': (n) =>
    POOL + each(n, (i) => `[listeners.l${i}]\nbind = "0.0.0.0:0"\npool = "q${i}"`),
  'pools, and listeners that name none': (n) =>
    each(n, (i) => `[pools.p${i}]\n[listeners.l${i}]\nbind = "0.0.0.0:0"\npool = "q${i}"`),
  'addresses of a listener': (n) =>
    `${LISTENER.replace('"0.0.0.0:1"', `[${each(n, (i) => `"${ip(i)}:1"`, ',')}]`)}${POOL}`,
  'trusted proxies': (n) =>
    `${LISTENER}trusted_proxies = [${each(n, (i) => `"${ip(i)}"`, ',')}]\n${POOL}`,
  'steps of a probe': (n) =>
    `[pools.p.health]\nprobe = "send-expect"\n${each(n, () => '[[pools.p.health.steps]]')}`,
  'dotted keys': (n) => `${each(n, () => 'a', '.')} = 1`,
  'lists in a list': (n) => `a = [${each(n, () => '[]', ',')}]`,
  'brackets in brackets': (n) => `a = ${'['.repeat(n)}${']'.repeat(n)}`,
  'one key many times': (n) => each(n, () => 'a = 1'),
  'a long text': (n) => `a = "${'x'.repeat(n)}"`,
  'a long text that does not end': (n) => `a = """${'x"" '.repeat(n)}`,
  'empty lines': (n) => '\n'.repeat(n),
  comments: (n) => '# x\n'.repeat(n),
};

/** Twice as much of a square is four times, of a line twice. */
const MOST = 3;
/** Shorter times are mostly garbage collection and the compiler. */
const TOO_SHORT_MS = 40;
/** Garbage collections fall where they like; a square is one each time. */
const TRIES = 4;
const FIRST = 2_000;
const LAST = 32_000;

t.test('twice as much takes twice as long', async (t) => {
  for (const [name, family] of Object.entries(FAMILIES)) {
    let n = FIRST;
    while (n < LAST && cpuMs(family(n)) < TOO_SHORT_MS) n *= 2;
    const once = family(n);
    const twice = family(2 * n);
    let ratio = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < TRIES && ratio >= MOST; tries++) {
      ratio = leastCpuMs(twice) / Math.max(TOO_SHORT_MS, leastCpuMs(once));
    }
    t.ok(ratio < MOST, `${name}: ${2 * n} take ${ratio.toFixed(1)} times as long as ${n}`);
  }
});

/** More than a call has room for arguments, which is how a library may pass problems on. */
const MANY = 150_000;

t.test('a file with more problems than a stack has room for is answered', async (t) => {
  for (const thing of ['{a=1}', '{weight="x"}']) {
    const loaded = loadConfig(inBackends(() => thing)(MANY), 'f');
    const problems = loaded.ok ? [] : loaded.error.map(({ problem }) => problem);
    t.equal(problems.length, MAX_SHOWN + 1, thing);
    t.match(problems[0], /^more than 10000 problems, so the rest was not looked at/);
  }
});

function leastCpuMs(text: string): number {
  return Math.min(cpuMs(text), cpuMs(text));
}

function cpuMs(text: string): number {
  const before = process.cpuUsage();
  loadConfig(text, 'f');
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
