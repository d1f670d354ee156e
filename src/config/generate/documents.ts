/** The generated documents, and where they stand. */
import { fileURLToPath } from 'node:url';
import { annotatedToml } from './annotated.js';
import { jsonSchema } from './json_schema.js';
import { referenceMarkdown } from './reference.js';

/** By name, what must stand in conf/. */
export const DOCUMENTS: Readonly<Record<string, () => string>> = {
  'annotated.toml': annotatedToml,
  'reference.md': referenceMarkdown,
  'sluice.schema.json': jsonSchema,
};

/** A file in the folder conf/ of the checkout that this was built in. */
export function confFile(name: string): string {
  return fileURLToPath(new URL(`../../../../conf/${name}`, import.meta.url));
}
