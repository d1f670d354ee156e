/** `[listeners.NAME.access]`: which clients may connect. */
import type { AccessSpec } from '../../core/spec.js';
import { fault, fits, type ReadValue, readList, readString } from '../reading.js';
import { blockList } from './blocks.js';
import { flag, mixed } from './kinds.js';
import { type KeyOptions, table, type ValueOf } from './node.js';

/** Longer lists belong into files, where a bad line is one line. */
const MAX_BLOCKS = 10_000;
const MAX_FILES = 16;

const STRING = { type: 'string', minLength: 1 };

const blocks = <const O extends KeyOptions>(options: O) => blockList(MAX_BLOCKS, options);

function files<const O extends KeyOptions>(options: O) {
  return mixed<readonly string[], O>(
    options,
    'a list of absolute paths',
    { anyOf: [{ type: 'array', items: STRING, maxItems: MAX_FILES }] },
    (raw) => readList(raw, MAX_FILES, 'files', (one) => readString(one, readPath)),
  );
}

function readPath(raw: string): ReadValue<string> {
  return raw.startsWith('/') ? fits(raw) : fault('malformed', 'not an absolute path');
}

export const ACCESS = table(
  'Which clients may come, by address. A client that may not is reset before a byte is read; for UDP, its datagrams are dropped. The most specific block decides, and "deny" between two that are the same; UNIX clients may always come. Behind a trusted proxy the address in the PROXY header counts, and of the address of the proxy itself only `deny` does. Sessions that are open when a block is added stay.',
  {
    allow: blocks({
      default: [],
      doc: 'Addresses and CIDR blocks. With a block here or a file in `allow_files` every other client is refused, as `not-allowed`.',
    }),
    deny: blocks({
      default: [],
      doc: 'Addresses and CIDR blocks that are refused, as `denied`.',
    }),
    allow_files: files({
      default: [],
      doc: 'Files with more of them: one block per line, "#" begins a comment. A file without any block allows no client. They are watched: a change holds within two seconds, or when a file that is written in place has stood still for half a second; better rename it into place. One with a bad line, or that cannot be read, changes nothing, and `access-list-kept` says why; at a start or reload, and by `sluice check`, it is refused. Regular files only, up to 64 MiB; all lists of a listener may have 1,000,000 blocks.',
    }),
    deny_files: files({ default: [], doc: 'The same for `deny`.' }),
    dry_run: flag({
      default: false,
      doc: 'true: no client is refused; those that would be are counted in `sluice_would_refuse_total`.',
    }),
  },
);

export type AccessValue = ValueOf<typeof ACCESS>;

export function accessSpec(value: AccessValue): AccessSpec | null {
  const { allow, deny, allow_files: allowFiles, deny_files: denyFiles } = value;
  // A file counts, whatever is in it: one that is empty, or cut short, opens no door.
  const others = allow.length + allowFiles.length === 0 ? 'allowed' : 'not allowed';
  if (others === 'allowed' && deny.length + denyFiles.length === 0) return null;
  return {
    allow,
    deny,
    allowFiles,
    denyFiles,
    others,
    dryRun: value.dry_run,
  };
}
