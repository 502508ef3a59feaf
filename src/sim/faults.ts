/**
 * Fault plans: from a seed, one direction of a wire with a mix of everything a path can do. Most runs have two or three
 * faults at once and some have none, so that the plain case stays tested too. Ranges keep a transfer possible: no plan
 * loses more than a third of its frames for longer than a blackhole lasts.
 */

import { type RandomSource, randomBelow, randomUnit } from '../base/random.ts';
import type { WireOptions } from './wire.ts';

type FaultOptions = { -readonly [K in keyof WireOptions]: WireOptions[K] };

/** One direction's plan. @param horizonMs blackholes fall within this time from the start. */
export function faultPlan(random: RandomSource, horizonMs = 20_000): WireOptions {
  const plan: FaultOptions = { delayMs: between(random, 0, 60) };
  const is = (probability: number): boolean => randomUnit(random) < probability;
  if (is(0.4)) plan.jitterMs = between(random, 0, 30);
  if (is(0.4)) {
    // 100 kbit/s … 100 Mbit/s, evenly on the logarithm.
    plan.rate = Math.round(10 ** between(random, 5, 8));
    plan.queueBytes = 5000 + randomBelow(random, 200_000);
  }
  if (is(0.4)) plan.loss = between(random, 0, 0.12);
  if (is(0.2)) {
    plan.burstLoss = {
      enter: between(random, 0.002, 0.03),
      leave: between(random, 0.2, 0.6),
      lossIn: between(random, 0.5, 1),
    };
  }
  if (is(0.35)) plan.reorder = { probability: between(random, 0.01, 0.25), extraMs: between(random, 1, 80) };
  if (is(0.3)) plan.duplicate = between(random, 0.01, 0.2);
  if (is(0.25)) plan.corrupt = { probability: between(random, 0.005, 0.06) };
  if (is(0.15)) {
    const from = between(random, 0, horizonMs);
    plan.blackholes = [{ from, until: from + between(random, 100, 5000) }];
  }
  return plan;
}

/** The plan in a few words, for the line that reports a failing seed. */
export function describeFaults(plan: WireOptions): string {
  const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
  const parts = [`delay ${(plan.delayMs ?? 0).toFixed(1)} ms`];
  if (plan.jitterMs !== undefined) parts.push(`jitter ${plan.jitterMs.toFixed(1)} ms`);
  if (plan.rate !== undefined) parts.push(`rate ${(plan.rate / 1e6).toFixed(2)} Mbit/s, queue ${plan.queueBytes} B`);
  if (plan.loss !== undefined) parts.push(`loss ${percent(plan.loss)}`);
  if (plan.burstLoss !== undefined) parts.push(`bursts ${percent(plan.burstLoss.enter)}`);
  if (plan.reorder !== undefined) parts.push(`reorder ${percent(plan.reorder.probability)}`);
  if (plan.duplicate !== undefined) parts.push(`duplicate ${percent(plan.duplicate)}`);
  if (plan.corrupt !== undefined) parts.push(`corrupt ${percent(plan.corrupt.probability)}`);
  for (const hole of plan.blackholes ?? []) parts.push(`blackhole ${hole.from.toFixed(0)}-${hole.until.toFixed(0)} ms`);
  return parts.join(', ');
}

function between(random: RandomSource, low: number, high: number): number {
  return low + (high - low) * randomUnit(random);
}
