/** npx vitest run --root examples/deterministic-test */
import { expect, test } from 'vitest';
import { lossy, outage, silence } from '../story.mjs';

const ANSWERS = Array.from({ length: 100 }, (_, i) => `QUESTION ${i}`);

test.each([1, 2, 3])('seed %i: every answer comes, in order, though a fifth of all segments is lost', async (seed) => {
  expect((await lossy(seed)).answers).toEqual(ANSWERS);
});

test('the same seed tells the same story, to the millisecond; another seed another', async () => {
  const story = await lossy(1);
  expect(await lossy(1)).toEqual(story);
  expect(await lossy(2)).not.toEqual(story);
});

test('an outage of twenty seconds: asked again until the line is back, answered once', async () => {
  expect(await outage()).toEqual({ answer: 'ANYBODY THERE?', repeated: 3, asked: 1, tookMs: 20_620 });
});

test('a line that stays dead: given up after 45.5 s, which take no time', async () => {
  expect(await silence()).toEqual({ message: 'no answer to "hello?" in 5000 ms', tookMs: 45_500 });
});
