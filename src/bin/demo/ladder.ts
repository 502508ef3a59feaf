/** The ladder: one row a segment between two columns of states. Colour marks what is told in words or signs too. */

import type { Time } from '../../base/time.ts';
import { RST } from '../../wire/tcp.ts';
import { type Layout, layoutsFor, stateText } from './layout.ts';
import type { ArrivalLine, ChangeLine, Line, NoteLine, SegmentLine, StatePair } from './lines.ts';
import { type Paint, type Tone, wrap } from './paint.ts';
import type { Sent } from './record.ts';
import type { Remark, RemarkKind } from './remarks.ts';
import { has } from './segment-facts.ts';
import { lengthOf, type Piece, piecesThatFit, SegmentTeller } from './segment-text.ts';

export interface LadderOptions {
  readonly width: number;
  readonly paint: Paint;
  readonly absolute: boolean;
  /** What stands above the two columns. */
  readonly clientName: string;
  readonly serverName: string;
}

const REMARK_TONES: { readonly [kind in RemarkKind]: Tone } = {
  again: 'bold',
  needless: 'needless',
  copy: 'needless',
  injected: 'needless',
  damaged: 'bad',
  probe: 'dim',
  'keep-alive': 'dim',
  'duplicate-ack': 'dim',
  challenge: 'needless',
  'window-closed': 'bold',
  'window-open': 'good',
};

/** Longer arrows say no more. */
const MOST_WIDTH = 150;

/** Below this width numbers in the stacked layout stand without the word before them. */
const LEAST_FOR_WORDS = 50;

/** Times above this are easier read in seconds. */
const SECONDS_FROM_MS = 30_000;

export function ladder(lines: readonly Line[], remarks: ReadonlyMap<Sent, Remark>, options: LadderOptions): string[] {
  return new Ladder(lines, remarks, options).draw();
}

class Ladder {
  private readonly lines: readonly Line[];
  private readonly options: LadderOptions;
  private readonly paint: Paint;
  private readonly inSeconds: boolean;
  private layout: Layout;
  private readonly pieces = new Map<Sent, Piece[]>();

  constructor(lines: readonly Line[], remarks: ReadonlyMap<Sent, Remark>, options: LadderOptions) {
    this.lines = lines;
    this.options = options;
    this.paint = options.paint;
    this.inSeconds = lines.some((line) => line.kind === 'segment' && line.time >= SECONDS_FROM_MS);
    const moments = lines.flatMap((line) =>
      line.kind === 'segment' && line.sent.arrival !== null ? [line.time, line.sent.arrival.time] : [line.time],
    );
    const timeWidth = Math.max(5, ...moments.map((time) => this.time(time).length));

    const layouts = layoutsFor(Math.min(options.width, MOST_WIDTH), lines, timeWidth);
    this.layout = layouts[0];
    for (const layout of layouts) {
      this.layout = layout;
      this.tell(remarks);
      if (this.namesFit() && lines.every((line) => line.kind !== 'segment' || this.fits(line))) break;
    }
  }

  /** Puts every segment in words, as the layout wants them. */
  private tell(remarks: ReadonlyMap<Sent, Remark>): void {
    const { kind, width } = this.layout;
    const terse = kind === 'stacked' ? width < LEAST_FOR_WORDS : kind !== 'wide';
    const teller = new SegmentTeller(this.options.absolute, terse);
    for (const line of this.lines) {
      if (line.kind !== 'segment') continue;
      this.pieces.set(line.sent, teller.pieces(line.sent, remarkPiece(remarks.get(line.sent))));
    }
  }

  /** Whether its arrow has room for what must be said. */
  private fits(line: SegmentLine): boolean {
    const needed = this.pieces.get(line.sent)!.filter((piece) => piece.rank === 0);
    return lengthOf(needed) <= this.roomOnArrow(line);
  }

  private namesFit(): boolean {
    const { width, timeWidth, gap, kind } = this.layout;
    const times = (kind === 'wide' ? 2 : 1) * (timeWidth + gap);
    return this.options.clientName.length + 2 + this.options.serverName.length + times <= width;
  }

  private roomOnArrow(line: SegmentLine): number {
    return this.layout.middle - 4 - endOf(line).width;
  }

  draw(): string[] {
    return [...this.head(), ...this.lines.flatMap((line) => this.row(line))].map((row) => row.trimEnd());
  }

  private head(): string[] {
    const { clientName, serverName } = this.options;
    const { kind, timeWidth } = this.layout;
    const unit = (this.inSeconds ? 's' : 'ms').padStart(timeWidth);
    const client: StatePair = [firstState(this.lines, 'client'), firstState(this.lines, 'client')];
    const server: StatePair = [firstState(this.lines, 'server'), firstState(this.lines, 'server')];
    if (kind === 'stacked') {
      const title = (name: string, [state]: StatePair): string[] =>
        wrap(`${name}, ${state}`, this.layout.width - timeWidth - 2).map((row) => this.paint('bold', row));
      const [first, ...rest] = [...title(clientName, client), ...title(serverName, server)];
      return [`${this.paint('dim', unit)}  ${first}`, ...rest.map((row) => `${' '.repeat(timeWidth)}  ${row}`)];
    }
    return [
      `${this.paint('dim', unit)}${this.gap}${this.paint('bold', this.names())}${kind === 'wide' ? this.paint('dim', unit) : ''}`,
      this.columns('', this.state(client), this.legend(), this.state(server), ''),
    ];
  }

  private legend(): string {
    const text = '   [flags] seq ack len, options';
    return this.paint('dim', text.padEnd(this.layout.middle));
  }

  /** The server's name stands above its states; where it is longer than their column, it ends at the right edge. */
  private names(): string {
    const { clientName, serverName } = this.options;
    const { kind, clientWidth, middle, gap, serverWidth } = this.layout;
    const column = clientWidth + middle + 2 * gap;
    const room = column + serverWidth + (kind === 'wide' ? gap : 0);
    const left = Math.min(column, column + serverWidth - serverName.length);
    const names = `${clientName.padEnd(Math.max(left, clientName.length + 2))}${serverName}`;
    return kind === 'wide' ? names.padEnd(room) : names;
  }

  private row(line: Line): string[] {
    switch (line.kind) {
      case 'note':
        return this.noteRows(line);
      case 'segment':
        return this.stacked(line) ?? [this.segmentRow(line)];
      case 'arrival':
        return this.stacked(line) ?? [this.arrivalRow(line)];
      case 'change':
        return this.stacked(line) ?? [this.changeRow(line)];
    }
  }

  private segmentRow(line: SegmentLine): string {
    const { sent } = line;
    const [clientTime, serverTime] = this.times(sent, line.arrivesLater);
    return this.columns(clientTime, this.state(line.client), this.arrow(line), this.state(line.server), serverTime);
  }

  /** When it was at the client, and when at the server; the narrower layouts know the time of sending alone. */
  private times(sent: Sent, arrivesLater: boolean): [string, string] {
    const left = this.time(sent.time);
    const arrived = sent.arrival === null || arrivesLater ? '' : this.time(sent.arrival.time);
    if (this.layout.kind !== 'wide') return [left, ''];
    return sent.from === 'client' ? [left, arrived] : [arrived, left];
  }

  private arrow(line: SegmentLine): string {
    const { sent } = line;
    const end = endOf(line);
    const text = this.text(sent, this.roomOnArrow(line));
    const length = lengthOf(text);
    const drawn = text.map((piece) => this.paint(piece.tone ?? 'plain', piece.text)).join(' ');
    const fill = Math.max(1, this.layout.middle - length - 3 - end.width);
    const tail = this.paint('dim', (line.arrivesLater ? '┄' : '─').repeat(fill));
    const start = this.paint('dim', sent.stray === null ? '──' : '…─');
    const tip = this.paint(end.tone, end.text);
    if (sent.from === 'client') return `${start}${drawn} ${tail}${pad(end)}${tip}`;
    const last = this.paint('dim', sent.stray === null ? '─' : '…');
    return `${tip}${pad(end)}${this.paint('dim', '─')}${drawn} ${tail}${last}`;
  }

  private text(sent: Sent, room: number): Piece[] {
    return piecesThatFit(this.pieces.get(sent)!, room);
  }

  private arrivalRow(line: ArrivalLine): string {
    const { sent } = line;
    const flags = this.pieces.get(sent)![0].text;
    const what = `${flags} of ${this.time(sent.time)} ${this.inSeconds ? 's' : 'ms'} arrives`;
    const { middle } = this.layout;
    const dots = '┄'.repeat(Math.max(1, middle - what.length - 5));
    const arrow =
      sent.from === 'client'
        ? `${this.paint('dim', `…┄${dots}`)} ${what} ${this.paint('dim', '▶')}`
        : `${this.paint('dim', '◀')} ${what} ${this.paint('dim', `${dots}┄…`)}`;
    const time = this.time(line.time);
    const right = this.layout.kind === 'wide' && sent.from === 'client';
    return this.columns(right ? '' : time, this.state(line.client), arrow, this.state(line.server), right ? time : '');
  }

  private changeRow(line: ChangeLine): string {
    const { middle } = this.layout;
    const text = `${line.end}: ${line.cause}`;
    const cut = text.length > middle ? `${text.slice(0, middle - 1)}…` : text;
    const room = ' '.repeat(middle - cut.length);
    const cell = line.end === 'client' ? `${cut}${room}` : `${room}${cut}`;
    const right = this.layout.kind === 'wide' && line.end === 'server';
    const time = this.time(line.time);
    return this.columns(
      right ? '' : time,
      this.state(line.client),
      this.paint('dim', cell),
      this.state(line.server),
      right ? time : '',
    );
  }

  private noteRows(line: NoteLine): string[] {
    const indent = this.layout.timeWidth + 2;
    if (line.title) return ['', ...wrap(line.text, this.layout.width).map((row) => this.paint('bold', row))];
    const time = this.time(line.time).padStart(this.layout.timeWidth);
    const rows = wrap(`· ${line.text}`, this.layout.width - indent);
    return rows.map(
      (row, i) => `${i === 0 ? this.paint('dim', time) : ' '.repeat(indent - 2)}  ${this.paint('dim', row)}`,
    );
  }

  /** Null when there is room for columns. */
  private stacked(line: SegmentLine | ArrivalLine | ChangeLine): string[] | null {
    if (this.layout.kind !== 'stacked') return null;
    const { timeWidth, width } = this.layout;
    const time = this.paint('dim', this.time(line.time).padStart(timeWidth));
    const rows: string[] = [];
    const indent = ' '.repeat(timeWidth + 2);
    if (line.kind === 'change') {
      rows.push(...wrap(`${line.end}: ${line.cause}`, width - timeWidth - 2));
    } else {
      const { sent } = line;
      const sign = sent.from === 'client' ? '→' : '←';
      const fate = line.kind === 'arrival' ? 'arrives' : endOf(line).word.trim();
      const room = width - timeWidth - 4;
      const left = fate === '' ? room : room - fate.length - 1;
      const pieces = line.kind === 'arrival' ? this.pieces.get(sent)!.slice(0, 1) : this.text(sent, left);
      const end: Piece = { text: fate, rank: 0, tone: sent.lost === null ? 'plain' : 'bad' };
      const words = this.wrapped(fate === '' ? pieces : [...pieces, end], room);
      rows.push(...words.map((row, i) => `${i === 0 ? sign : ' '} ${row}`));
    }
    const changed = [...this.stackedState('client', line.client), ...this.stackedState('server', line.server)];
    return [
      `${time}  ${rows[0]}`,
      ...rows.slice(1).map((row) => `${indent}${row}`),
      ...changed.map((row) => `${indent}  ${row}`),
    ];
  }

  private wrapped(pieces: readonly Piece[], room: number): string[] {
    const rows: Piece[][] = [[]];
    for (const piece of pieces) {
      const row = rows[rows.length - 1];
      if (row.length > 0 && lengthOf([...row, piece]) > room) rows.push([piece]);
      else row.push(piece);
    }
    return rows.map((row) => row.map((piece) => this.paint(piece.tone ?? 'plain', piece.text)).join(' '));
  }

  private stackedState(end: string, pair: StatePair): string[] {
    if (pair[0] === pair[1]) return [];
    const { width, timeWidth } = this.layout;
    const room = width - timeWidth - 4;
    const forms = [`${end} ${stateText('wide', pair)}`, `${end} ${stateText('medium', pair)}`];
    const rows = wrap(forms.find((form) => form.length <= room) ?? forms[0], room);
    return rows.map((row) => this.paint(stateTone(pair), row));
  }

  private state(pair: StatePair): string {
    return this.paint(stateTone(pair), stateText(this.layout.kind, pair));
  }

  private columns(time: string, client: string, middle: string, server: string, right: string): string {
    const { timeWidth, clientWidth, serverWidth, kind } = this.layout;
    const left = [this.paint('dim', time.padStart(timeWidth)), padTo(client, clientWidth), middle, ''].join(this.gap);
    if (kind !== 'wide') return `${left}${server}`;
    return `${left}${padTo(server, serverWidth)}${this.gap}${this.paint('dim', right.padStart(timeWidth))}`;
  }

  private get gap(): string {
    return ' '.repeat(this.layout.gap);
  }

  private time(ms: Time): string {
    if (this.inSeconds) return (ms / 1000).toFixed(3);
    // Five digits are enough: the tenths of 60120.0 ms tell nobody anything.
    return ms < 10_000 ? ms.toFixed(1) : ms.toFixed(0);
  }
}

interface ArrowEnd {
  readonly text: string;
  /** The same in the stacked layout. */
  readonly word: string;
  readonly tone: Tone;
  readonly width: number;
}

function endOf({ sent, arrivesLater }: SegmentLine): ArrowEnd {
  const back = sent.from === 'server';
  if (sent.lost !== null) {
    const word = sent.lost === 'nobody there' ? 'nobody' : 'lost';
    return { text: back ? `✗ ${word}` : `${word} ✗`, word: ` ✗ ${word}`, tone: 'bad', width: word.length + 3 };
  }
  if (arrivesLater || sent.arrival === null) return { text: '…', word: ' …', tone: 'dim', width: 1 };
  const tip = back ? '◀' : '▶';
  return { text: tip, word: '', tone: has(sent.facts, RST) ? 'bad' : 'dim', width: 1 };
}

function pad(end: ArrowEnd): string {
  return end.width > 1 ? ' ' : '';
}

function stateTone([before, after]: StatePair): Tone {
  if (before === after) return 'dim';
  return after === 'ESTABLISHED' ? 'good' : 'bold';
}

function firstState(lines: readonly Line[], end: 'client' | 'server'): Line['client'][0] {
  return lines.length === 0 ? 'CLOSED' : lines[0][end][0];
}

function remarkPiece(remark: Remark | undefined): Piece | null {
  if (remark === undefined) return null;
  return { text: `· ${remark.text}`, short: `· ${remark.short}`, rank: 1, tone: REMARK_TONES[remark.kind] };
}

/** Pads what may hold escape sequences, which take no room. */
function padTo(text: string, width: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
  const visible = text.replace(/\u001b\[[0-9;]*m/g, '').length;
  return text + ' '.repeat(Math.max(0, width - visible));
}
