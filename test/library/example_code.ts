/** Examples in documents, made to run here: servers of this test stand in for those they name. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import ts from 'typescript';
import { repositoryRoot } from '../support/repository.js';

const ADDRESS = /\b10\.0\.0\.\d+:8080\b/g;

/** The TypeScript of `document`, example by example. */
export function examplesIn(document: string): string[] {
  const page = readFileSync(join(repositoryRoot, document), 'utf8');
  return [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
}

/** Node.js knows `using` from this version on; for others it is translated. */
const KNOWS_USING = 24;

/** The same as JavaScript modules for this Node.js, in order. */
export async function examplesOf(t: Test, document: string): Promise<string[]> {
  const examples = examplesIn(document);
  const places = new Map<string, string>();
  const names = new Set(examples.flatMap((code) => code.match(ADDRESS) ?? []));
  for (const name of names) places.set(name, await startServer(t));
  const knowsUsing = Number.parseInt(process.versions.node, 10) >= KNOWS_USING;
  const target = knowsUsing ? ts.ScriptTarget.ESNext : ts.ScriptTarget.ES2022;
  const options = { target, module: ts.ModuleKind.ESNext };
  return examples.map((code) => {
    const placed = code.replace(ADDRESS, (name) => places.get(name) ?? name);
    return ts.transpileModule(placed, { compilerOptions: options }).outputText;
  });
}

async function startServer(t: Test): Promise<string> {
  const server = createServer((_, response) => response.end('{"name":"Ada"}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
