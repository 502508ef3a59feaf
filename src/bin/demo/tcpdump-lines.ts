/** The run as tcpdump would print it, captured where segments enter the wire; times in UTC. */

import { LinkType } from '../../capture/formats.ts';
import { TcpdumpFormatter } from '../../dissect/tcpdump.ts';
import { captureTime } from './capture.ts';
import type { Record } from './record.ts';

export function tcpdumpLines(record: Record, absolute: boolean): string[] {
  const formatter = new TcpdumpFormatter({ absolute });
  return record.segments.map((sent) => {
    const { seconds, nanoseconds } = captureTime(sent.time);
    return formatter.line(seconds, nanoseconds, LinkType.RAW, sent.frame);
  });
}
