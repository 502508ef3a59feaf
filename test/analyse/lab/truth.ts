/** What a play of test/analyse/lab did, from what its wire wrote down: the truth an analysis of its captures is held to. */

import { readFileSync } from 'node:fs';

interface Sent {
  dir: 'a>b' | 'b>a';
  seq: number;
  len: number;
  /** Sequence space taken. */
  size: number;
  flags: number;
  dropped: boolean;
  damaged?: boolean;
  copies: number;
  /** Seconds held back. */
  late: number;
}

interface Play {
  sent: Sent[];
  wire: { act: string; dir: string }[];
  kernel: Record<string, number>;
}

export interface LabTruth {
  /** Segments with text, SYN or FIN that were dropped or damaged, and bare acknowledgments. */
  lost: number;
  lostBare: number;
  /** Segments that repeat what was sent before, and those of them whose every octet had been sent and not dropped. */
  retransmitted: number;
  needless: number;
  doubled: number;
  late: number;
  kernel: Record<string, number>;
}

const SYN = 2;
const FIN = 1;
const RST = 4;

export function labTruth(file: string): LabTruth {
  const play = JSON.parse(readFileSync(file, 'utf8')) as Play;
  const truth = { lost: 0, lostBare: 0, retransmitted: 0, needless: 0, doubled: 0, late: 0, kernel: play.kernel };
  for (const way of ['a>b', 'b>a'])
    follow(
      truth,
      play.sent.filter((p) => p.dir === way && (p.flags & RST) === 0),
    );
  return truth;
}

function follow(truth: LabTruth, sent: readonly Sent[]): void {
  const before: { start: number; end: number; arrived: boolean }[] = [];
  let base: number | null = null;
  let highest = 0;
  for (const p of sent) {
    const gone = p.dropped || p.damaged === true;
    if (gone) p.size === 0 ? truth.lostBare++ : truth.lost++;
    if (p.size === 0) continue;
    if (p.copies > 1) truth.doubled++;
    if (p.late > 0) truth.late++;
    base ??= p.seq;
    const start = (p.seq - base) | 0;
    const end = start + p.size;
    // A keep-alive or window probe repeats one octet on purpose.
    const probe = p.len <= 1 && start === highest - 1 && (p.flags & (SYN | FIN)) === 0;
    if (probe) continue;
    if (start < highest) {
      truth.retransmitted++;
      const arrived = (at: number): boolean => before.some((b) => b.arrived && b.start <= at && at < b.end);
      if (arrived(start) && arrived(end - 1)) truth.needless++;
    }
    before.push({ start, end, arrived: !gone });
    highest = Math.max(highest, end);
  }
}
