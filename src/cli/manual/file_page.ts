/** sluice.toml(5), from the schema and the tables that the reference is made from. */
import { VALUE_FORMS } from '../../config/generate/forms.js';
import { formatPair, type KeyText, keysOf } from '../../config/generate/keys.js';
import { ISSUE_CODES } from '../../config/issue.js';
import { START_SETTINGS } from '../../config/restart.js';
import { wordList } from '../../config/schema/kinds.js';
import { type FoundSection, sections } from '../../config/schema/lookup.js';
import { PROBE_KINDS, PROBE_USES } from '../../config/schema/probe_keys.js';
import { ROOT } from '../../config/schema/root.js';
import {
  bold,
  entry,
  pageHeader,
  paragraph,
  type Roff,
  roffPage,
  section,
  subsection,
  verbatim,
} from './roff.js';

/** `example` is a whole file. */
export function filePage(version: string, example: string): Roff {
  const tables = sections(ROOT).filter(({ path }) => path.length > 0);
  return roffPage(
    pageHeader('sluice.toml', 5, version),
    section('Name', 'sluice.toml \\- configuration of the load balancer sluice'),
    section('Synopsis', bold('/etc/sluice/sluice.toml')),
    section(
      'Description',
      paragraph(
        'The file is TOML. A key that is not known, or has no meaning where it stands, is an ' +
          'error, and so is whatever contradicts itself: `sluice check` says all of it at once, ' +
          'with line and column. `systemctl reload sluice` reads the file again; a file with ' +
          'an error changes nothing.',
      ),
    ),
    section('Values', ...VALUE_FORMS.map((form) => entry('\\(bu', form))),
    section('Example', verbatim(example)),
    section('Sections', ...tables.map(sectionText)),
    section('Probes', ...PROBE_KINDS.map(probeText)),
    section(
      'What needs a restart',
      paragraph('These are read at start only. A reload that changes one says so.'),
      ...START_SETTINGS.map(({ setting, why }) => entry(bold(setting), why)),
    ),
    section(
      'Problems',
      ...Object.entries(ISSUE_CODES).map(([code, remedy]) => entry(bold(code), remedy)),
    ),
    section('See also', `${bold('sluice')}(1),\n${bold('sluice-ctl')}(1)`),
  );
}

function sectionText(table: FoundSection): Roff {
  const keys = keysOf(table).map(keyEntry);
  return subsection(table.header, paragraph(table.table.doc), ...keys);
}

function keyEntry(key: KeyText): Roff {
  const facts = [`Value: ${key.expected}.`];
  if (key.fallback === 'required')
    facts.push(`Required. Example: ${formatPair(key.key, key.example)}`);
  else facts.push(`Default: ${key.fallback}.`);
  if (key.kinds.length > 0) facts.push(`Only for ${wordList(key.kinds)}.`);
  if (key.refused !== '') facts.push(`Not in this version: ${key.refused}.`);
  return entry(bold(key.key), key.doc, facts.join(' '));
}

function probeText(kind: (typeof PROBE_KINDS)[number]): Roff {
  const { proves, leaves, needs, takes } = PROBE_USES[kind];
  const keys = [
    needs.length === 0 ? '' : `Needs ${wordList(needs)}.`,
    takes.length === 0 ? '' : `Takes ${wordList(takes)}.`,
  ];
  const log = `In the log of the server: ${leaves}`;
  return entry(bold(kind), proves, keys.filter((text) => text !== '').join(' '), log);
}
