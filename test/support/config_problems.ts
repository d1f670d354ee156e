/** What is wrong with the text of a configuration, as an operator would read it. */
import { formatIssue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';

/** One line a problem, without the file's name: `3:1: daemon.engine: … (expected …; got …)`. */
export function problemsOf(text: string): readonly string[] {
  const loaded = loadConfig(text, 'f');
  return loaded.ok ? [] : loaded.error.map((issue) => formatIssue(issue).replace(/^f:/, ''));
}
