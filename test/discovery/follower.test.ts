/** How often a source is asked that answers now and then. */
import t from 'tap';
import { seededRandom } from '../../src/core/random.js';
import { Follower } from '../../src/discovery/follower.js';
import { type SourceAnswer, sourceFailed } from '../../src/discovery/source.js';
import { FakeTime } from '../support/fake_time.js';
import { answer } from './members.js';
import { RULES } from './told.js';

/** Asks for `seconds`, and says when. */
async function askedAt(
  say: (question: number) => SourceAnswer,
  seconds: number,
): Promise<number[]> {
  const time = new FakeTime();
  const asked: number[] = [];
  const follower = new Follower(
    { rules: RULES },
    {
      clock: time,
      timers: time,
      random: seededRandom(1),
      source: {
        ask: async () => {
          asked.push(time.nowMs());
          return say(asked.length - 1);
        },
      },
      proofOf: () => 'serves',
      news: () => {},
      defect: (error) => t.fail(String(error)),
    },
  );
  void follower.start();
  await time.pass(seconds * 1_000);
  follower.stop();
  return asked;
}

const eager = (): SourceAnswer => ({ ...answer('ab'), againMs: 0 }) as SourceAnswer;

t.test('one that fails every other time is asked less and less', async (t) => {
  const every = (question: number): SourceAnswer =>
    question % 2 === 0 ? sourceFailed('too-much', 'a lot') : eager();
  const asked = await askedAt(every, 120);
  t.ok(asked.length < 40, `${asked.length} questions in two minutes`);
  t.ok(asked.filter((at) => at > 60_000).length <= 12);
});

t.test('one that has been well for a while is asked again soon', async (t) => {
  const asked = await askedAt((question) => {
    const isFirst = question < 6 || question === 400;
    return isFirst ? sourceFailed('timeout', 'mute') : eager();
  }, 300);
  const at = asked[400] ?? 0;
  t.ok((asked[401] ?? 0) - at < 700, `${(asked[401] ?? 0) - at} ms`);
});
