/** How each connection ended, and its ladder: what the analysis makes of the capture, an independent witness. */

import { Analyser } from '../../analyse/analyser.ts';
import { ladderOf } from '../../analyse/ladder.ts';
import { ladderSvg } from '../../analyse/ladder-svg.ts';
import type { ConnectionReport } from '../../analyse/report.ts';
import { CaptureReader } from '../../capture/reader.ts';
import { flowKey } from './recorder.ts';

export interface Ending {
  readonly text: string;
  readonly report: ConnectionReport;
  readonly ladder: string;
}

/** By {@link flowKey}. */
export function endingsOf(capture: Uint8Array): Map<string, Ending> {
  const endings = new Map<string, Ending>();
  const analyser = new Analyser({
    inspect: (facts, report) => {
      const ladder = ladderSvg(ladderOf(facts, report));
      const { client, server } = report;
      endings.set(flowKey({ localPort: client.port, address: server.address, port: server.port }), {
        text: endingText(report),
        report,
        ladder,
      });
    },
  });
  const reader = new CaptureReader(analyser);
  reader.push(capture);
  analyser.finish('capture', reader.end());
  return endings;
}

function endingText(report: ConnectionReport): string {
  const { firstCloser: first, timeWaitHolder: holder } = report;
  const keeps = holder === null ? '' : holder === 'both' ? '; both keep TIME-WAIT' : `; ${holder} keeps TIME-WAIT`;
  switch (report.closing) {
    case 'four-segments':
      return `closed by the ${first} first, four segments${keeps}`;
    case 'three-segments':
      return `closed by the ${first} first, three segments${keeps}`;
    case 'half-close':
      return `closed by the ${first} first, the other half later${keeps}`;
    case 'simultaneous':
      return `closed by both at once${keeps}`;
    case 'half-closed':
      return `only the ${first} has closed`;
    case 'fin-then-reset':
      return `the ${first} closed, then a reset ended it`;
    case 'refused':
      return 'refused with a RST';
    case 'reset':
      return `reset by the ${first}`;
    default:
      return report.handshake === 'unanswered' ? 'never opened' : 'not closed when the run ended';
  }
}
