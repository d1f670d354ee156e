/**
 * The Node.js that the package brings: the file that the npm package `node` fetches for a machine,
 * by the ordinary npm client, and compared with the digest that stands here.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** In long-term support until April 2028. */
export const RUNTIME_VERSION = '24.22.3';

/** By `process.arch`: Debian's word for the machine, and npm's digest of the archive. */
export const MACHINES: Readonly<Record<string, { debian: string; sha512: string }>> = {
  x64: {
    debian: 'amd64',
    sha512:
      'KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
  },
  arm64: {
    debian: 'arm64',
    sha512:
      'IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
  },
};

export interface Runtime {
  readonly program: string;
  readonly licence: string;
}

/** Fetches the runtime for `arch` into `folder`. npm keeps the archive: a second time is quick. */
export function fetchRuntime(arch: string, folder: string): Runtime {
  const machine = MACHINES[arch];
  if (machine === undefined) throw new Error(`there is no Node.js to bundle for ${arch}`);
  mkdirSync(folder, { recursive: true });
  const name = `node-linux-${arch}`;
  const pack = ['pack', '--silent', '--prefer-offline', '--pack-destination', folder];
  execFileSync('npm', [...pack, `${name}@${RUNTIME_VERSION}`], { cwd: folder });
  const archive = join(folder, `${name}-${RUNTIME_VERSION}.tgz`);
  const found = createHash('sha512').update(readFileSync(archive)).digest('base64');
  if (found !== machine.sha512) throw new Error(`${archive} has the digest ${found}: not as known`);
  execFileSync('tar', ['-xzf', archive, '-C', folder, 'package/bin/node', 'package/LICENSE']);
  return { program: join(folder, 'package/bin/node'), licence: join(folder, 'package/LICENSE') };
}
