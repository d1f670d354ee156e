/** `npm run generate`: writes the generated documents; a test compares them with what is there. */
import { writeFile } from 'node:fs/promises';
import { confFile, DOCUMENTS } from './documents.js';

for (const [name, generate] of Object.entries(DOCUMENTS)) {
  await writeFile(confFile(name), generate());
}
