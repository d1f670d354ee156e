/** nginx' `stream {}` as a configuration of sluice, and a report on all of the file. */
import { ok } from '../../core/result.js';
import { writeAdmin } from '../admin.js';
import { fittedNumber, wholeNumber } from '../bounds.js';
import type { Capabilities } from '../capabilities.js';
import { Claims } from '../claims.js';
import { Draft } from '../draft.js';
import { lookUp } from '../look_up.js';
import { Names } from '../names.js';
import { type ImportResult, type SourceText, syntaxFault } from '../source.js';
import type { Statement } from '../statement.js';
import type { NginxScene } from './scene.js';
import { writeServer } from './servers.js';
import { ALWAYS_ON, CHANGED, DROPPED, IDLE } from './vocabulary.js';
import { readNodes, type StatementNode } from './words.js';

/** Files by the pattern of the `include` that names them. */
export type Included = ReadonlyMap<string, readonly SourceText[]>;

/** The patterns of all `include` directives; none where the text cannot be read. */
export function includePatterns(source: SourceText): readonly string[] {
  const nodes = readNodes(source);
  return nodes.ok
    ? everyNode(nodes.value).flatMap(({ statement }) => patternOf(statement) ?? [])
    : [];
}

export function importNginx(
  source: SourceText,
  included: Included,
  has: Capabilities,
): ImportResult {
  const nodes = readWith(source, included, []);
  if (!nodes.ok) return syntaxFault(nodes.error);
  const draft = new Draft();
  translate(nodes.value, draft, has);
  const head = [
    `# Translated from ${source.file.replace(/\p{Cc}/gu, '?')} by \`sluice import nginx\`.`,
    '# The comments name the lines that a key comes from.',
  ];
  const entries = everyNode(nodes.value).flatMap(({ statement }) => statement.entries());
  return ok({ toml: draft.text(head), entries });
}

/** As deep as files may include each other. */
const MAX_INCLUDES = 8;

function readWith(
  source: SourceText,
  included: Included,
  trail: readonly string[],
): ReturnType<typeof readNodes> {
  const nodes = readNodes(source);
  if (!nodes.ok) return nodes;
  return expanded(nodes.value, included, [...trail, source.file]);
}

/** Every `include` with what it includes behind it. */
function expanded(
  nodes: readonly StatementNode[],
  included: Included,
  trail: readonly string[],
): ReturnType<typeof readNodes> {
  const found: StatementNode[] = [];
  for (const node of nodes) {
    const inner = node.children === null ? ok([]) : expanded(node.children, included, trail);
    if (!inner.ok) return inner;
    const { statement } = node;
    found.push(node.children === null ? node : { statement, children: [...inner.value] });
    const pattern = patternOf(statement);
    if (pattern === null) continue;
    const sources = trail.length > MAX_INCLUDES ? undefined : included.get(pattern);
    if (sources === undefined)
      statement.part().dropped('only files below the folder of the main file are read');
    else statement.part().idle('the files that it names are translated, too');
    for (const source of sources ?? []) {
      if (trail.includes(source.file)) continue;
      const more = readWith(source, included, trail);
      if (!more.ok) return more;
      found.push(...more.value);
    }
  }
  return ok(found);
}

function patternOf(statement: Statement): string | null {
  const isInclude = statement.value(0) === 'include' && statement.words.length === 2;
  return isInclude ? statement.value(1) : null;
}

function everyNode(nodes: readonly StatementNode[]): readonly StatementNode[] {
  return nodes.flatMap((node) => [node, ...everyNode(node.children ?? [])]);
}

const OF_STREAM = new Set(['server', 'upstream', 'map', 'limit_conn_zone', 'log_format']);

function translate(root: readonly StatementNode[], draft: Draft, has: Capabilities): void {
  const blocks = root.filter(
    (node) => node.statement.value(0) === 'stream' && node.children !== null,
  );
  for (const { statement } of blocks)
    statement.mark('idle', 'nothing to do: sluice balances streams only');
  // A file of a folder such as stream.d has no block of its own.
  const bare = root.filter(({ statement }) => OF_STREAM.has(statement.value(0)));
  const stream = [...blocks.flatMap(({ children }) => children ?? []), ...bare];
  const scene: NginxScene = {
    draft,
    has,
    claims: new Claims(),
    listenerNames: new Names(),
    poolNames: new Names(),
    upstreams: byName(stream, 'upstream', 1),
    maps: byName(stream, 'map', 2),
    zones: zonesOf(stream),
    pools: new Map(),
  };
  for (const node of stream) {
    if (node.statement.value(0) === 'server' && node.children !== null)
      writeServer(scene, node, stream);
  }
  writeLog(stream, draft);
  writeAdmin(draft, scene.claims);
  for (const node of stream) markUnused(node);
  for (const node of everyNode(root)) markOther(node, draft);
  for (const node of root) {
    if (['http', 'mail'].includes(node.statement.value(0))) {
      for (const { statement } of everyNode([node])) {
        statement.part().dropped(`${node.statement.value(0)}: sluice does not look into the bytes`);
      }
    }
  }
}

function byName(
  nodes: readonly StatementNode[],
  kind: string,
  at: number,
): ReadonlyMap<string, StatementNode> {
  const found = nodes.filter(
    ({ statement, children }) => statement.value(0) === kind && children !== null,
  );
  return new Map(found.map((node) => [node.statement.value(at).replace(/^\$/, ''), node]));
}

/** `limit_conn_zone $binary_remote_addr zone=NAME:SIZE` */
function zonesOf(nodes: readonly StatementNode[]): ReadonlyMap<string, Statement> {
  const found = nodes.flatMap(({ statement }) => {
    const byClient = /^\$(?:binary_)?remote_addr$/.test(statement.value(1));
    const name = /^zone=([^:]+):/.exec(statement.value(2))?.[1];
    const isZone = statement.value(0) === 'limit_conn_zone' && byClient && name !== undefined;
    return isZone ? [[name, statement] as const] : [];
  });
  return new Map(found);
}

function writeLog(stream: readonly StatementNode[], draft: Draft): void {
  const all = everyNode(stream).map(({ statement }) => statement.part());
  const logs = all.filter((part) => part.value(0) === 'access_log');
  const on = logs.filter((part) => part.value(1) !== 'off');
  for (const part of logs) part.idle('it is off');
  const how = 'lines of JSON on standard output, for all listeners';
  if (on.length > 0) draft.table(['log']).take('access', 'all', on, how);
}

/** Upstreams and maps that no server of the translation leads to. */
function markUnused({ statement, children }: StatementNode): void {
  const kind = statement.value(0);
  if ((kind !== 'upstream' && kind !== 'map') || !statement.isUntouched(0)) return;
  const why = 'no server that is translated leads to it';
  for (const row of [{ statement, children: null }, ...everyNode(children ?? [])]) {
    if (kind === 'map' && row.statement.value(0) === 'hostnames') {
      row.statement.part().idle('names may have "*." before them');
    }
    row.statement.part().unlessIdle((part) => part.dropped(why));
  }
}

/** What no other part has answered for. */
function markOther({ statement }: StatementNode, draft: Draft): void {
  const name = statement.value(0);
  const part = statement.part();
  const threads = name === 'worker_processes' ? wholeNumber(part.value(1)) : null;
  if (threads !== null && threads > 0) {
    const { value, how } = fittedNumber('workers', threads);
    draft.table(['daemon']).take('workers', value, [part], how);
  }
  const changed = lookUp(CHANGED, name);
  const dropped = lookUp(DROPPED, name);
  const idle = lookUp(IDLE, name);
  if (changed !== undefined) part.unlessIdle((one) => one.changed(changed));
  else if (dropped !== undefined) part.unlessIdle((one) => one.dropped(dropped));
  else if (idle !== undefined && ALWAYS_ON.has(name) && statement.value(1) === 'off') {
    part.changed(`${idle}; this cannot be switched off`);
  } else if (idle !== undefined) part.idle(idle);
}
