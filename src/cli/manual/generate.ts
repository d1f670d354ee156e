/** Writes the manual pages; a part of `npm run generate`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { manualFile, manualPages } from './pages.js';

mkdirSync(manualFile(''), { recursive: true });
for (const [name, text] of Object.entries(manualPages())) writeFileSync(manualFile(name), text);
