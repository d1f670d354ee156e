import t from 'tap';
import {
  readIperf3,
  readPgbench,
  readRedisBenchmark,
  readWrk,
} from '../../benchmarks/macro/outputs.js';

t.test('what redis-benchmark 7.0 prints is read', async (t) => {
  const text = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms"
"GET","64935.06","0.404","0.152","0.399","0.511"
`;
  t.same(readRedisBenchmark(text, 150_000), { count: 150_000, perSecond: 64_935.06 });
  t.throws(() => readRedisBenchmark('Could not connect to Redis', 1), /printed no result/);
});

t.test('what pgbench 15 prints is read', async (t) => {
  const text = `pgbench (15.18 (Debian 15.18-0+deb12u1))
transaction type: <builtin: select only>
duration: 1 s
number of transactions actually processed: 27604
number of failed transactions: 0 (0.000%)
latency average = 0.577 ms
initial connection time = 11.093 ms
tps = 27722.184937 (without initial connection time)
`;
  t.same(readPgbench(text), { count: 27_604, perSecond: 27_722.184937 });
  t.throws(() => readPgbench('pgbench: error: connection failed'), /printed no result/);
});

t.test('what wrk 4.1 prints is read', async (t) => {
  const text = `Running 1s test @ http://127.0.0.1:18080/
  1 threads and 50 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   598.11us  340.57us   6.17ms   93.61%
    Req/Sec    83.24k     7.62k   92.60k    63.64%
  91039 requests in 1.10s, 16.06MB read
Requests/sec:  82754.06
Transfer/sec:     14.60MB
`;
  t.same(readWrk(text), { count: 91_039, perSecond: 82_754.06 });
  t.throws(() => readWrk('unable to connect'), /printed no result/);
});

t.test('what iperf3 reports is what was received', async (t) => {
  const report = {
    end: {
      sum_sent: { bytes: 2_000_000_000, bits_per_second: 16e9 },
      sum_received: { bytes: 1_900_000_000, bits_per_second: 15.2e9 },
    },
  };
  t.same(readIperf3(JSON.stringify(report)), { count: 1.9e9, perSecond: 1.9e9 });
  t.throws(() => readIperf3('{"error": "unable to connect"}'), /iperf3: unable to connect/);
});
