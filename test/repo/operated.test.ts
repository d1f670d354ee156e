/**
 * Operators rely on each command: every one of `sluice ctl` is run by a system test on each engine.
 * The endpoints of the control API have such a check in `system/endpoints`, and the elements of the
 * page in `system/dashboard`, which know their lists from what runs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { CTL_COMMANDS } from '../../src/cli/ctl/ctl.js';
import { repositoryRoot } from '../support/repository.js';
import { ONE_ENGINE } from '../support/schedule.js';

const FOLDER = 'test/system';
/** What runs a command; its words are the arguments, or a list among them. */
const RUNS = /^(?:ctl|ask|runCtl)$/;

t.test('every command of ctl is run by a system test on each engine', async (t) => {
  const places = new Map<string, string>();
  for (const file of filesOnEachEngine()) {
    for (const command of commandsIn(file)) places.set(command, file);
  }
  for (const { name } of CTL_COMMANDS) {
    t.ok(places.has(name), `ctl ${name}: ${places.get(name) ?? 'no test'}`);
  }
});

function filesOnEachEngine(): readonly string[] {
  return readdirSync(join(repositoryRoot, FOLDER))
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => ONE_ENGINE[`system/${file.replace('.test.ts', '')}`] === undefined);
}

function commandsIn(file: string): readonly string[] {
  const text = readFileSync(join(repositoryRoot, FOLDER, file), 'utf8');
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit);
    if (!ts.isCallExpression(node) || !RUNS.test(calleeOf(node))) return;
    const words = node.arguments.flatMap((one) =>
      ts.isArrayLiteralExpression(one) ? [...one.elements] : [one],
    );
    const command = words.find(ts.isStringLiteral);
    if (command !== undefined) found.push(command.text);
  };
  visit(tree);
  return found;
}

function calleeOf({ expression }: ts.CallExpression): string {
  if (ts.isPropertyAccessExpression(expression)) return expression.name.text;
  return ts.isIdentifier(expression) ? expression.text : '';
}
