/** What a choice costs does not grow with the pool: counted in steps, not in time. */
import t from 'tap';
import { SHARES, Subject } from '../../benchmarks/micro/subject.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { policyNamed } from '../support/policies.js';
import { StepCounter } from '../support/steps.js';

const SMALL = 16;
const GREAT = 16_384;
const CHOICES = 400;
/** Trees are 14 levels high instead of 4, and choices go down and up some of them. */
const MOST = 4;
/** Of one policy by itself, whatever it takes among few. */
const ENOUGH = 400;

const steps = new StepCounter('/src/balance/');
await steps.start();

for (const share of SHARES) {
  t.test(
    `${share}: a choice among ${GREAT} takes about as many steps as among ${SMALL}`,
    async (t) => {
      for (const policy of POLICY_NAMES) {
        const [few, many] = [await each(SMALL), await each(GREAT)];
        t.ok(many <= MOST * few, `${policy}: ${few} steps, and ${many}`);
        t.ok(many <= ENOUGH, `${policy}: ${many} steps`);

        async function each(size: number): Promise<number> {
          const subject = new Subject({ name: policy, policy: policyNamed(policy) }, size, share);
          await steps.take();
          subject.choose(CHOICES);
          return Math.round((await steps.take()) / CHOICES);
        }
      }
    },
  );
}

t.teardown(() => steps.stop());
