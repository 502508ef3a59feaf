/** For commands that go through a capture twice: which frames belong to a connection, and who its ends are. */

import { Analyser } from '../analyse/analyser.ts';
import type { ConnectionReport } from '../analyse/report.ts';
import { readCapture } from './capture-input.ts';
import { complain } from './output.ts';

export interface Found {
  report: ConnectionReport;
  frames: Set<number>;
  /** Whether that side is the client. */
  firstIsClient: boolean;
  /** Frames of the side that sent the connection's first packet. */
  first: Set<number>;
  problem: string | null;
}

/** Null (and a complaint, and exit code 1) when there is no such connection. */
export async function findConnection(file: string, connection: number): Promise<Found | null> {
  if (file === '-') {
    complain('standard input cannot be read twice; write it to a file first');
    process.exitCode = 2;
    return null;
  }
  let found: Omit<Found, 'problem'> | null = null;
  const analyser = new Analyser({
    keep: connection,
    inspect: (facts, report) => {
      if (report.id !== connection) return;
      const frames = new Set<number>();
      const first = new Set<number>();
      for (let i = 0; i < facts.trace.n; i++) {
        frames.add(facts.trace.frame(i));
        if (facts.trace.side[i] === 0) first.add(facts.trace.frame(i));
      }
      for (const event of facts.trace.flow.icmp ?? []) frames.add(event.frame);
      found = { report, frames, first, firstIsClient: facts.trace.client === 0 };
    },
  });
  const problem = await readCapture(file, analyser);
  analyser.finish(file);
  const chosen = found as Omit<Found, 'problem'> | null;
  if (chosen === null) {
    complain(
      `${file}: there is no connection ${connection}; it has ${analyser.total}${problem === null ? '' : ` (${problem})`}`,
    );
    process.exitCode = 1;
    return null;
  }
  return { ...chosen, problem };
}
