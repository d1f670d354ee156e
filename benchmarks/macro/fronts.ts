/** What a client has to pass before its relay, in the words of each proxy's configuration. */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';

/**
 * `sni`: clients that name SERVER_NAME in a TLS hello are served, and no others. `refuse`: no
 * client of 127.0.0.0/8 is. `listed`: no client of very many blocks elsewhere is. `postgres`:
 * clients speak Postgres, and their cancels find their server.
 */
export type Front = 'plain' | 'sni' | 'refuse' | 'listed' | 'postgres';

export const SERVER_NAME = 'bench.example';
/** As many as sluice takes. */
const BLOCKS = 1_000_000;
const EVERY_CLIENT = '127.0.0.0/8';

/** Lines of the frontend. */
export function haproxyFront(front: Front): string {
  const serves = 'default_backend pool';
  switch (front) {
    case 'sni':
      return lines(
        'tcp-request inspect-delay 5s',
        'tcp-request content accept if { req.ssl_hello_type 1 }',
        `use_backend pool if { req.ssl_sni -i ${SERVER_NAME} }`,
      );
    case 'refuse':
      return lines(`tcp-request connection reject if { src ${EVERY_CLIENT} }`, serves);
    default:
      return plainOnly(front, serves);
  }
}

/** Lines of the stream section, and of its server. */
export function nginxFront(front: Front): { readonly stream: string; readonly server: string } {
  const serves = 'proxy_pass pool;';
  switch (front) {
    case 'sni':
      return {
        stream: `map $ssl_preread_server_name $named { ${SERVER_NAME} pool; }`,
        server: lines('ssl_preread on;', 'proxy_pass $named;'),
      };
    case 'refuse':
      return { stream: '', server: lines(`deny ${EVERY_CLIENT};`, serves) };
    default:
      return { stream: '', server: plainOnly(front, serves) };
  }
}

/** The pool of the listener, and further lines of it. Files that it needs stand in `folder`. */
export async function sluiceFront(
  front: Front,
  folder: string,
): Promise<{ readonly pool: string; readonly lines: string }> {
  const pool = 'pool';
  switch (front) {
    case 'plain':
      return { pool, lines: '' };
    case 'sni':
      return { pool: '', lines: `routes = [{ server_name = "${SERVER_NAME}", pool = "pool" }]` };
    case 'refuse':
      return { pool, lines: `access.deny = ["${EVERY_CLIENT}"]` };
    case 'listed':
      return { pool, lines: `access.deny_files = ["${await writeBlocks(folder)}"]` };
    case 'postgres':
      return { pool, lines: 'postgres.strict = true' };
  }
}

function plainOnly(front: Front, text: string): string {
  if (front === 'plain') return text;
  throw new Error(`this proxy has nothing like "${front}"`);
}

function lines(...all: readonly string[]): string {
  return all.join('\n  ');
}

/** Addresses of 64.0.0.0/8 with gaps, so that no two blocks make one. */
async function writeBlocks(folder: string): Promise<string> {
  const file = join(folder, 'blocks.txt');
  const stream = createWriteStream(file);
  for (let block = 0; block < BLOCKS; block++) {
    const place = 7 * block;
    stream.write(`64.${(place >> 16) & 255}.${(place >> 8) & 255}.${place & 255}\n`);
  }
  stream.end();
  await once(stream, 'finish');
  return file;
}
