/** A Spec from the text of a configuration that must be good. */
import { formatIssue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';
import type { Spec } from '../../src/core/spec.js';

/** Throws all problems of `text`, one a line. */
export function loadSpec(text: string): Spec {
  const loaded = loadConfig(text, 'test.toml');
  if (loaded.ok) return loaded.value.spec;
  throw new Error(`the test's configuration is bad:\n${loaded.error.map(formatIssue).join('\n')}`);
}
