/** The container image: made of the package without a registry, and run by podman as users do. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { builtPackage } from '../../support/fresh_debian.js';
import { tempFolder } from '../../support/places.js';
import { mustRun } from '../../support/process.js';
import { repositoryRoot } from '../../support/repository.js';
import { available, findProgram } from '../../support/require_server.js';

const LIMIT_MS = 140_000;

/**
 * All in mounts and processes of its own, which end with it. podman gives /dev/null to the user of
 * a container, so that it gets another one, and its runtime takes no mixture of both versions of
 * control groups. Nothing of systemd is there to ask for the health: the test does.
 */
const SCRIPT = `
mount -t tmpfs none /run
mount -t tmpfs none /dev/shm
if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
mknod -m 666 "$HERE/null" c 1 3
mount --bind "$HERE/null" /dev/null
: | conf/container/build.sh "$PACKAGE" localhost/sluice >&2
run="--network host --cgroups disabled --ulimit nofile=4096:4096 --ulimit nproc=4096:4096"
: | podman run --detach --name sluice $run --cap-drop ALL --security-opt no-new-privileges \\
  --volume "$HERE/sluice.toml:/etc/sluice/sluice.toml:ro" localhost/sluice >&2
until : | podman healthcheck run sluice >&2; do sleep 1; done
: | podman exec sluice /usr/bin/sluice ctl status
grep -E '^(Uid|CapEff|Seccomp):' "/proc/$(: | podman inspect --format '{{.State.Pid}}' sluice)/status"
: | podman logs sluice | grep '"event":"engine-degraded"'
: | podman stop --time 60 sluice >&2
: | podman inspect --format 'ended with {{.State.ExitCode}}' sluice
`;

/** Copies of folders need nothing of the kernel. */
const STORAGE = (folder: string): string =>
  `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/graph"\nrunroot = "${folder}/run"\n`;

const SETTINGS = `[listeners.a]
bind = "127.0.0.1:0"
pool = "a"
[pools.a.health]
probe = "none"
[[pools.a.backends]]
address = "127.0.0.1:9"
`;

t.setTimeout(170_000);

t.test(
  'it runs by the default seccomp profile, as nobody, and says why it is slower',
  async (t) => {
    const tools = ['podman', 'crun', 'unshare', 'dpkg-deb', 'strip'].map(
      (name) => [`${name} is not installed`, findProgram(name) !== null] as const,
    );
    const isRoot = process.getuid?.() === 0;
    if (!available(t, [['mounts of its own need root', isRoot], ...tools])) return;
    const here = tempFolder(t);
    writeFileSync(join(here, 'storage.conf'), STORAGE(here));
    writeFileSync(join(here, 'sluice.toml'), SETTINGS);
    const apart = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const told = await mustRun('unshare', [...apart, 'bash', '-euc', SCRIPT], {
      cwd: repositoryRoot,
      limitMs: LIMIT_MS,
      env: {
        HERE: here,
        PACKAGE: await builtPackage(t),
        CONTAINERS_STORAGE_CONF: join(here, 'storage.conf'),
        BUILDAH_LAYERS: 'false',
      },
    });
    t.match(told, /^sluice .*, process 1, serving/m);
    t.match(told, /^engine node \(.*io_uring.*\)/m);
    t.match(told, /"event":"engine-degraded".*uring/);
    t.match(told, /^Uid:\s+10001\s+10001\s+10001\s+10001$/m);
    t.match(told, /^CapEff:\s+0+$/m);
    t.match(told, /^Seccomp:\s+2$/m, 'by a filter');
    t.match(told, /^ended with 0$/m, 'the stop is an orderly one');
  },
);
