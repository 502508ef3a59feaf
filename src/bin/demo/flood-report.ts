/** The SYN flood as a table over time, as JSON, as a capture, and in words. */

import { LinkType } from '../../capture/formats.ts';
import { PcapngWriter } from '../../capture/pcapng-writer.ts';
import { TcpdumpFormatter } from '../../dissect/tcpdump.ts';
import { captureTime, joined } from './capture.ts';
import { FLOOD, type FloodRun, type FloodSecond } from './flood.ts';
import type { DemoOptions } from './options.ts';
import { type Paint, thousands } from './paint.ts';
import { footer, heading, prose, type View } from './report.ts';

export interface FloodRuns {
  readonly without: FloodRun;
  readonly with: FloodRun;
}

const BAR = 12;
const CALLS = 'calls'.length;
/** Below this width bars have no room. */
const LEAST_FOR_BARS = 76;

export function floodReport(runs: FloodRuns, options: DemoOptions, view: View, captured: string): string[] {
  const name = 'syn-flood';
  return [
    ...heading(name, options, view),
    '',
    ...table(runs, view),
    ...prose(explain(runs), view),
    '',
    ...footer(captured, name, view),
  ];
}

/** Both runs beside each other, a row a second. */
function table(runs: FloodRuns, { width, paint }: View): string[] {
  const bar = width >= LEAST_FOR_BARS ? BAR : 0;
  const half = `half-open of ${FLOOD.backlog}`.slice(0, bar === 0 ? 9 : undefined).padEnd(bar === 0 ? 9 : bar + 5);
  const left = half.length + 2 + CALLS;
  const head = [
    `${''.padEnd(14)}${'without SYN cookies'.padEnd(left + 3).slice(0, left + 3)}with SYN cookies`,
    `${'s'.padStart(3)}  ${'SYN/s'.padStart(6)}   ${half}  calls   ${half}  cookies  calls`,
  ];
  const rows = runs.without.seconds.map((second, i) => {
    const other = runs.with.seconds[i];
    const flood = second.floodSyns === 0 ? '·' : thousands(second.floodSyns);
    const cells = [
      `${String(second.second).padStart(3)}  ${flood.padStart(6)} `,
      `${queue(second, bar, half.length, paint)}  ${marks(second, paint)}`,
      `${queue(other, bar, half.length, paint)}  ${(other.cookiesSent === 0 ? '·' : String(other.cookiesSent)).padStart(7)}  ${marks(other, paint)}`,
    ];
    return cells.join('  ').replace('   ', '   ').trimEnd();
  });
  return [...head.map((line) => paint('bold', line)), ...rows];
}

function queue({ halfOpen }: FloodSecond, bar: number, width: number, paint: Paint): string {
  const number = String(halfOpen);
  if (bar === 0) return paint(tone(halfOpen), number.padStart(width));
  const filled = Math.min(bar, Math.ceil((halfOpen / FLOOD.backlog) * bar));
  const drawn = paint(tone(halfOpen), '█'.repeat(filled)) + paint('dim', '·'.repeat(bar - filled));
  return `${drawn} ${number.padStart(4)}`;
}

function tone(halfOpen: number): 'bad' | 'plain' {
  return halfOpen >= FLOOD.backlog ? 'bad' : 'plain';
}

/** A tick for each call that was served, a cross for each that was not. */
function marks({ calls }: FloodSecond, paint: Paint): string {
  const drawn = calls.map((served) => (served ? paint('good', '✓') : paint('bad', '✗'))).join('');
  return drawn + ' '.repeat(Math.max(0, CALLS - calls.length));
}

// -- in words

function explain({ without, with: guarded }: FloodRuns): string[] {
  const open = outcome(without);
  const kept = outcome(guarded);
  const { backlog, synsPerSecond, fromSecond, untilSecond, patienceMs } = FLOOD;
  return [
    `${open.served} of ${open.calls} honest calls were served without cookies, ${kept.served} of ${kept.calls} with them. ` +
      `✓ is a client that was greeted within ${patienceMs / 1000} s, ✗ one that gave up.`,
    `Without cookies: from second ${fromSecond + 1} to ${untilSecond} somebody sends ${synsPerSecond} SYNs a second from addresses where nobody lives. Each makes the server keep a half-open connection ` +
      `and repeat its SYN-ACK to nobody, until it gives up. The queue has ${backlog} places${fullWords(without)}; a SYN that finds no place is dropped, whoever sent it, and a free place goes to whoever sends most.${aftermath(without)}`,
    `With cookies: the queue fills as before, but once it is full the server keeps nothing. It answers each SYN with a number computed from the addresses, the ports, the time and a secret ` +
      `(${thousands(kept.cookies)} times), and forgets it. Only who really gets that SYN-ACK can send its number back, plus one, and from that ACK the server makes the connection after all (RFC 4987). ` +
      'A flood of made-up addresses never can.',
  ];
}

interface Outcome {
  readonly calls: number;
  readonly served: number;
  readonly cookies: number;
}

function outcome({ seconds }: FloodRun): Outcome {
  const calls = seconds.flatMap((second) => second.calls);
  return {
    calls: calls.length,
    served: calls.filter((served) => served).length,
    cookies: seconds.reduce((sum, second) => sum + second.cookiesSent, 0),
  };
}

function fullWords({ seconds }: FloodRun): string {
  const full = seconds.filter((second) => second.halfOpen >= FLOOD.backlog);
  return full.length === 0 ? '' : `, full from second ${full[0].second} to ${full[full.length - 1].second}`;
}

/** What was left of the attack when it was over. */
function aftermath({ seconds }: FloodRun): string {
  const after = seconds.filter((second) => second.second > FLOOD.untilSecond);
  const failed = after.filter((second) => second.calls.includes(false));
  if (failed.length === 0) return '';
  return ` Calls went on failing until second ${failed[failed.length - 1].second}, though the last SYN of the flood came in second ${FLOOD.untilSecond}.`;
}

// -- for programs

/** A line a second and run, without segments: the flood has thousands. */
export function floodJson({ without, with: guarded }: FloodRuns): string[] {
  const line = (run: FloodRun, second: FloodSecond): string =>
    JSON.stringify({
      t: second.second,
      from: null,
      cookies: run.cookies,
      floodSyns: second.floodSyns,
      halfOpen: second.halfOpen,
      backlog: FLOOD.backlog,
      cookiesSent: second.cookiesSent,
      callsTried: second.calls.length,
      callsServed: second.calls.filter((served) => served).length,
      clientState: ['CLOSED', 'CLOSED'],
      serverState: ['LISTEN', 'LISTEN'],
    });
  return [without, guarded].flatMap((run) => run.seconds.map((second) => line(run, second)));
}

export function floodTcpdump({ without, with: guarded }: FloodRuns, absolute: boolean): string[] {
  return [without, guarded].flatMap((run, i) => {
    const formatter = new TcpdumpFormatter({ absolute });
    return run.frames.map(({ time, frame }) => {
      const { seconds, nanoseconds } = captureTime(time + i * SECOND_RUN_AT_MS);
      return formatter.line(seconds, nanoseconds, LinkType.RAW, frame);
    });
  });
}

/** The second run stands behind the first in the capture, an interface of its own. */
const SECOND_RUN_AT_MS = 60_000;

/**
 * The capture of both runs. The link type is IPV4 or IPV6 and not RAW: libpcap 1.10 refuses a file whose second
 * interface is RAW, since it knows the first under the number BSD gives to raw IP.
 */
export function floodCapture({ without, with: guarded }: FloodRuns): Uint8Array {
  const { frames } = without;
  const linkType = frames.length > 0 && frames[0].frame[0] >> 4 === 6 ? LinkType.IPV6 : LinkType.IPV4;
  const blocks: Uint8Array[] = [];
  const writer = new PcapngWriter((block) => blocks.push(block), { application: 'estab demo', comment: 'syn-flood' });
  for (const name of ['without SYN cookies', 'with SYN cookies']) writer.addInterface({ linkType, name });
  [without, guarded].forEach((run, i) => {
    for (const { time, frame } of run.frames) {
      const { seconds, nanoseconds } = captureTime(time + i * SECOND_RUN_AT_MS);
      writer.packetAt(i, seconds, nanoseconds, frame);
    }
  });
  return joined(blocks);
}
