/** On what the figures were taken: without it they mean nothing. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { repositoryRoot } from '../../test/support/repository.js';
import { findProgram } from '../../test/support/require_server.js';

export interface Environment {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  /** Over the minute before: other work on the machine spoils the figures. */
  readonly loadAverage: number;
  /** Names and versions of all that took part. */
  readonly versions: Readonly<Record<string, string>>;
  readonly sysctl: Readonly<Record<string, string>>;
}

const VERSIONS: Readonly<Record<string, readonly [program: string, ...args: string[]]>> = {
  HAProxy: ['haproxy', '-v'],
  nginx: ['nginx', '-v'],
  'redis-server': ['redis-server', '--version'],
  PostgreSQL: ['postgres', '--version'],
  wrk: ['wrk', '-v'],
  iperf3: ['iperf3', '--version'],
};

const SYSCTLS = [
  'net/ipv4/tcp_congestion_control',
  'net/ipv4/tcp_tw_reuse',
  'net/ipv4/ip_local_port_range',
  'net/core/somaxconn',
];

export function readEnvironment(): Environment {
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    loadAverage: loadavg()[0] ?? 0,
    versions: {
      sluice: sluiceVersion(),
      'Node.js': process.version,
      ...Object.fromEntries(
        Object.entries(VERSIONS).map(([name, [program, ...args]]) => [name, ask(program, args)]),
      ),
    },
    sysctl: Object.fromEntries(SYSCTLS.map((key) => [key.replaceAll('/', '.'), sysctl(key)])),
  };
}

function sluiceVersion(): string {
  const git = ['-C', repositoryRoot, 'describe', '--always', '--dirty'];
  try {
    return execFileSync('git', git, { encoding: 'utf8' }).trim();
  } catch {
    return 'not from a repository';
  }
}

/** The version in what the program prints, on whichever stream and with whatever exit code. */
function ask(name: string, args: readonly string[]): string {
  const path = findProgram(name);
  if (path === null) return 'not installed';
  const script = '"$0" "$@" 2>&1 | head -2';
  const text = execFileSync('sh', ['-c', script, path, ...args], { encoding: 'utf8' });
  return versionIn(text) ?? 'unknown';
}

/** The first thing that looks like a version: `2.6.12`, `3.12`, `7.0.15`. */
export function versionIn(text: string): string | null {
  return /\d+\.\d+(?:\.\d+)*(?:[-+][\w.+]+)?/.exec(text)?.[0] ?? null;
}

function sysctl(key: string): string {
  try {
    return readFileSync(`/proc/sys/${key}`, 'utf8').trim().replace(/\s+/g, ' ');
  } catch {
    return 'unknown';
  }
}
