/**
 * Four panels under one time axis as SVG: sequence numbers (sent, acknowledged, window, SACK; repetitions marked), bytes
 * in flight, round-trip time, throughput. Scales and curves are d3's, the picture needs nothing to be looked at.
 */

import { type ScaleLinear, scaleLinear } from 'd3-scale';
import { curveStepAfter, line } from 'd3-shape';
import type { GraphData, GraphSide, Point } from '../analyse/graph.ts';
import { escapeXml, svgDocument } from '../analyse/svg.ts';

const WIDTH = 960;
const LEFT = 90;
const RIGHT = 24;
const GAP = 46;
type Scale = ScaleLinear<number, number>;

interface Panel {
  title: string;
  height: number;
  top: number;
  x: Scale;
  y: Scale;
  format: (value: number) => string;
}

export function graphSvg(data: GraphData, title: string): string {
  const main: [string, GraphSide] =
    data.client.bytes >= data.server.bytes ? ['client', data.client] : ['server', data.server];
  const second: [string, GraphSide] = main[0] === 'client' ? ['server', data.server] : ['client', data.client];
  const x = scaleLinear()
    .domain([0, (data.end - data.start) * 1000])
    .range([LEFT, WIDTH - RIGHT]);
  const parts: string[] = [];
  let top = 82;
  const panel = (name: string, height: number, max: number, format: (value: number) => string): Panel => {
    const y = scaleLinear()
      .domain([0, max > 0 ? max * 1.06 : 1])
      .nice(5)
      .range([top + height, top]);
    const made = { title: name, height, top, x, y, format };
    parts.push(frame(made));
    top += height + GAP;
    return made;
  };
  for (const [name, side] of [main, second]) {
    if (side.bytes === 0) continue;
    const most = Math.max(...side.segments.map((s) => s[2]), ...side.acknowledged.map((p) => p[1]));
    const p = panel(
      `sequence numbers, ${name} to ${name === 'client' ? 'server' : 'client'}`,
      name === main[0] ? 300 : 160,
      most,
      bytesText,
    );
    parts.push(sequence(p, side, data.start));
  }
  const flight = panel(`bytes in flight (${main[0]})`, 100, highest(main[1].inFlight), bytesText);
  parts.push(curve(flight, main[1].inFlight, data.start, 'second', true));
  const rtt = panel(`round-trip time (${main[0]}'s text)`, 100, highest(main[1].rtt), (v) => `${short(v)} ms`);
  parts.push(dots(rtt, main[1].rtt, data.start));
  const rate = panel(`throughput (${main[0]})`, 100, highest(main[1].throughput), (v) => `${bytesText(v)}/s`);
  parts.push(curve(rate, main[1].throughput, data.start, 'good', false));
  const height = top - GAP + 44;
  parts.push(
    `<text class="faint" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${height - 8}" text-anchor="middle">time, ms</text>`,
  );
  const description =
    `${data.client.bytes} bytes from the client and ${data.server.bytes} from the server in ` +
    `${short((data.end - data.start) * 1000)} ms: sequence numbers, bytes in flight, round-trip time, throughput.`;
  const head = `<text class="head" x="${LEFT}" y="22">${escapeXml(title)}</text>${legend()}`;
  return svgDocument(WIDTH, height, `${title}, over time`, description, head + parts.join(''));
}

function highest(points: Point[]): number {
  return points.reduce((most, p) => Math.max(most, p[1]), 0);
}

function legend(): string {
  const entries: [string, string][] = [
    ['line', 'sent'],
    ['second', 'acknowledged'],
    ['good', 'window'],
    ['warn', 'SACK, needless, late'],
    ['lost', 'lost, sent again'],
  ];
  let at = LEFT;
  let text = '';
  for (const [kind, label] of entries) {
    text += `<path class="${kind}" stroke-width="2" d="M${at} 40h18"/><text class="faint" x="${at + 24}" y="44">${label}</text>`;
    at += 24 + label.length * 7.4 + 24;
  }
  return text;
}

function frame(p: Panel): string {
  const [left, right] = p.x.range();
  let text = `<text x="${LEFT}" y="${p.top - 8}">${escapeXml(p.title)}</text>`;
  for (const tick of p.y.ticks(p.height > 200 ? 6 : 3)) {
    const y = p.y(tick);
    text += `<path class="grid" d="M${left} ${y}H${right}"/><text class="faint" x="${left - 8}" y="${y + 4}" text-anchor="end">${p.format(tick)}</text>`;
  }
  for (const tick of p.x.ticks(8)) {
    const x = p.x(tick);
    text += `<path class="grid" d="M${x} ${p.top}V${p.top + p.height}"/>`;
    text += `<text class="faint" x="${x}" y="${p.top + p.height + 15}" text-anchor="middle">${short(tick)}</text>`;
  }
  return `${text}<path class="axis" d="M${left} ${p.top}V${p.top + p.height}H${right}"/>`;
}

function sequence(p: Panel, side: GraphSide, start: number): string {
  const x = (time: number): number => round(p.x((time - start) * 1000));
  const y = (value: number): number => round(p.y(Math.min(value, p.y.domain()[1])));
  const strokes: Record<string, string> = { line: '', lost: '', warn: '' };
  for (const [time, first, last, name] of side.segments) {
    const kind = name === '' ? 'line' : name === 'lost' || name === 'retransmission' ? 'lost' : 'warn';
    strokes[kind] += `M${x(time)} ${y(first)}V${Math.min(y(last), y(first) - 1)}`;
  }
  // A window far above what was sent is cut off at the panel's edge, not squeezed into it.
  const clip = `panel-${p.top}`;
  const [left, right] = p.x.range();
  let text = `<clipPath id="${clip}"><rect x="${left}" y="${p.top}" width="${right - left}" height="${p.height}"/></clipPath>`;
  text += `<g clip-path="url(#${clip})">${curve(p, side.window, start, 'good', true)}</g>`;
  text += curve(p, side.acknowledged, start, 'second', true);
  let sack = '';
  for (const [time, left, right] of side.sack) sack += `M${x(time)} ${y(left)}V${y(right)}`;
  text += `<path class="warn" stroke-opacity="0.35" d="${sack}"/>`;
  text += `<path class="line" stroke-width="1.6" d="${strokes.line}"/><path class="warn" stroke-width="3" d="${strokes.warn}"/>`;
  text += `<path class="lost" stroke-width="3" d="${strokes.lost}"/>`;
  for (const [time, value, name] of side.marks) {
    const near = x(time) > (LEFT + WIDTH) / 2;
    text += `<text class="t-good halo" x="${x(time) + (near ? -4 : 4)}" y="${y(value) - 5}" text-anchor="${near ? 'end' : 'start'}">${name}</text>`;
  }
  return text;
}

function curve(p: Panel, points: Point[], start: number, kind: string, steps: boolean): string {
  const make = line<Point>()
    .x((q) => round(p.x((q[0] - start) * 1000)))
    .y((q) => round(p.y(q[1])));
  if (steps) make.curve(curveStepAfter);
  return `<path class="${kind}" d="${make(points) ?? ''}"/>`;
}

function dots(p: Panel, points: Point[], start: number): string {
  let text = '';
  for (const [time, value] of points) text += `M${round(p.x((time - start) * 1000)) - 1} ${round(p.y(value))}h2`;
  return `<path class="second" stroke-width="2" d="${text}"/>`;
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}

function short(n: number): string {
  return Number(n.toPrecision(4)).toString();
}

function bytesText(n: number): string {
  if (n >= 1e9) return `${short(n / 1e9)} GB`;
  if (n >= 1e6) return `${short(n / 1e6)} MB`;
  return n >= 1000 ? `${short(n / 1000)} kB` : `${short(n)} B`;
}
