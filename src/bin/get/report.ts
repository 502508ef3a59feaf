/** What `estab get` prints: the steps as they happen, then the waterfall, the connections and the sum of it. */

import { count, duration, type Paint, type Tone, wrap } from '../demo/paint.ts';
import type { Ground } from './ground.ts';
import type { GetOptions } from './options.ts';
import { type ConnectionRecord, endpointText, type PageRecord, type StepLine } from './records.ts';
import type { Result } from './session.ts';
import { sizeText } from './step-lines.ts';
import { waterfall } from './waterfall.ts';

export interface View {
  readonly width: number;
  readonly paint: Paint;
}

/** When it began, what it was, what was seen, and at the right edge how long it took. */
export function stepLines({ kind, from, text, ms, tone }: StepLine, { width, paint }: View): string[] {
  const indent = ' '.repeat(13);
  const took = ms === null ? '' : duration(Math.round(ms * 10) / 10);
  const [first, ...rest] = text;
  const room = width - indent.length;
  const head = wrap(first, room - 10);
  const lines = head.map((line, i) => {
    const lead = i === 0 ? `${from.toFixed(1).padStart(7)} ${kind.padEnd(5)}` : indent;
    const edge = i === 0 && took !== '' ? took.padStart(room - line.length) : '';
    return `${paint(kindTone(tone), lead)}${paint(tone === 'bad' ? 'bad' : 'plain', line)}${paint('dim', edge)}`;
  });
  for (const line of rest.flatMap((more) => wrap(more, room))) lines.push(`${indent}${paint('dim', line)}`);
  return lines;
}

function kindTone(tone: StepLine['tone']): Tone {
  return tone === 'plain' ? 'bold' : tone;
}

export function pageReport(page: PageRecord, view: View): string[] {
  const { paint, width } = view;
  const since = (time: number | null): string =>
    time === null ? 'never' : duration(Math.round(time - page.startedAt));
  const octets = page.requests.reduce((sum, request) => sum + request.octets, 0);
  const used = new Set(page.requests.map(({ connection }) => connection?.id).filter((id) => id !== undefined)).size;
  const failed = page.requests.filter(({ failure }) => failure !== null).length;
  const times = `first byte ${since(page.firstByteAt)} · DOM ${since(page.domAt)} · load ${since(page.loadAt)}`;
  const sum = `${count(page.requests.length, 'request')}, ${sizeText(octets)}, on ${count(used, 'connection')}`;
  const bad = failed === 0 ? '' : ` · ${failed} failed`;
  return ['', paint('title', page.url), ...waterfall(page, width, paint), ...wrap(`${times} · ${sum}${bad}`, width)];
}

export function connectionLines(connections: readonly ConnectionRecord[], view: View): string[] {
  if (connections.length === 0) return [];
  const lines = [''];
  for (const { id, host, address, port, localPort, protocol, requests, ending, tcp } of connections) {
    const what = tcp === null || requests === 0 ? '' : ` ${protocol}, ${count(requests, 'request')};`;
    const text = `c${id}  ${host} :${localPort} → ${endpointText(address, port)} ${what} ${ending}`.replace(
      / {2,}/g,
      ' ',
    );
    const [first, ...rest] = wrap(text, view.width - 14);
    lines.push(first, ...rest.map((line) => `    ${line}`));
  }
  return lines;
}

/** `an embedded network  ·  10 ms each way`, `the TUN device t0  ·  10.7.0.2/24` */
export function groundText({ tun, delayMs, loss, seed }: GetOptions, ground: Ground, between: string): string {
  if (tun !== null) return [ground.words, ...tun.address].join(between);
  const lossy = loss === 0 ? [] : [`${Number((loss * 100).toFixed(2))} % loss each way`, `seed ${seed}`];
  return [ground.words, `${delayMs} ms each way`, ...lossy].join(between);
}

/** How many packets there were, and how many were lost where that can be seen. */
export function packetsText({ packets, lost }: Pick<Result, 'packets' | 'lost'>): string {
  const passed = `${count(packets, 'packet')} at the client's end`;
  if (lost === null) return passed;
  return `${passed}, ${lost === 0 ? 'none lost' : `${count(lost, 'packet')} lost on the way`}`;
}
