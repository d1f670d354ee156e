/** How `sluice ctl why` shows what a backend has done. */
import t from 'tap';
import { textTable } from '../../src/admin/table.js';
import { trafficRows } from '../../src/cli/ctl/traffic.js';

t.test('what a backend has done is a row, units last', async (t) => {
  const rows = trafficRows({
    sessions: 1204,
    retries: 3,
    bytes_in: 2048,
    bytes_out: 17,
    failed_dials: [
      { reason: 'refused', count: 12 },
      { reason: 'timeout', count: 1 },
    ],
    ends: [{ reason: 'finished', count: 1203 }],
    connect: { median_ms: 0.04123, p99_ms: 12345.6 },
    first_byte: null,
  });
  t.same(rows[1], [
    '1204',
    '3',
    '2.0 KiB',
    '17 B',
    'refused 12, timeout 1',
    'finished 1203',
    'p50 0.0412 ms, p99 12300 ms',
    '-',
  ]);
  const [heads = ''] = textTable(rows);
  t.match(heads, /^SESSIONS .* FIRST BYTE$/);
});
