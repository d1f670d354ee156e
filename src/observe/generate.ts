/** Writes the reference pages of metrics and log events; a part of `npm run generate`. */
import { writeFileSync } from 'node:fs';
import { eventsPage, metricsPage } from './reference.js';

const conf = new URL('../../../conf/', import.meta.url);
writeFileSync(new URL('metrics.md', conf), metricsPage());
writeFileSync(new URL('events.md', conf), eventsPage());
