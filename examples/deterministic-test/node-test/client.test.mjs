/** node --test examples/deterministic-test/node-test/client.test.mjs */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossy, outage, silence } from '../story.mjs';

const ANSWERS = Array.from({ length: 100 }, (_, i) => `QUESTION ${i}`);

for (const seed of [1, 2, 3]) {
  test(`seed ${seed}: every answer comes, in order, though a fifth of all segments is lost`, async () => {
    assert.deepEqual((await lossy(seed)).answers, ANSWERS);
  });
}

test('the same seed tells the same story, to the millisecond; another seed another', async () => {
  const story = await lossy(1);
  assert.deepEqual(await lossy(1), story);
  assert.notDeepEqual(await lossy(2), story);
});

test('an outage of twenty seconds: asked again until the line is back, answered once', async () => {
  assert.deepEqual(await outage(), { answer: 'ANYBODY THERE?', repeated: 3, asked: 1, tookMs: 20_620 });
});

test('a line that stays dead: given up after 45.5 s, which take no time', async () => {
  assert.deepEqual(await silence(), { message: 'no answer to "hello?" in 5000 ms', tookMs: 45_500 });
});
