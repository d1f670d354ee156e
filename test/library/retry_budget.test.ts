import t from 'tap';
import { RetryBudget } from '../../src/library/retry_budget.js';

function spend(budget: RetryBudget, tries: number, nowMs: number): number {
  let allowed = 0;
  for (let n = 0; n < tries; n++) if (budget.tryRetry(nowMs)) allowed++;
  return allowed;
}

t.test('a fifth of the requests of the last ten seconds may be tried again', async (t) => {
  const budget = new RetryBudget();
  for (let n = 0; n < 1_000; n++) budget.request(5_000);
  t.equal(spend(budget, 1_000, 9_000), 200);
  t.equal(spend(budget, 10, 14_000), 3, 'and three per second in any case');
  t.equal(
    spend(budget, 10, 15_000 + 100),
    3,
    'requests of more than ten seconds ago are forgotten',
  );
});

t.test('a caller with hardly any requests has three tries per second', async (t) => {
  const budget = new RetryBudget();
  for (let second = 0; second < 30; second++) {
    budget.request(second * 1_000);
    t.equal(spend(budget, 10, second * 1_000), 3, `second ${second}`);
  }
  t.equal(spend(budget, 10, 3_600_000), 3, 'after an hour without any');
});
