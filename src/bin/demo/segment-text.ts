/**
 * A segment in words and numbers, for the ladder. After the SYNs, numbers count from each side's first number, as
 * tcpdump and Wireshark show them; windows are in octets, their scale already applied.
 */

import { type Seq, seqDiff, seqLt, seqMax, seqToUint32 } from '../../base/seq.ts';
import { ACK, PSH, RST, SYN, URG } from '../../wire/tcp.ts';
import { type Tone, thousands } from './paint.ts';
import { type EndName, otherEnd, type Sent } from './record.ts';
import { flagMarks, has, type SegmentFacts, segmentEnd, segmentLength } from './segment-facts.ts';

/** One word of a line; where there is no room, those of the highest rank go first. */
export interface Piece {
  readonly text: string;
  /** Said where the whole text has no room. */
  readonly short?: string;
  readonly rank: number;
  readonly tone?: Tone;
}

/** No story carries this much. */
const NEAR = 1 << 24;

interface Side {
  /** First sequence number, known from its SYN. */
  isn: Seq | null;
  /** The number after the last it has used. */
  next: Seq | null;
  /** The last text ended what the application had written (PSH): the next begins something. */
  pushed: boolean;
  windowScale: number;
}

interface Connection {
  readonly client: Side;
  readonly server: Side;
}

/** What has to be remembered from segment to segment to say the next one: first numbers and window scales. */
export class SegmentTeller {
  private readonly absolute: boolean;
  private readonly terse: boolean;
  private readonly connections = new Map<string, Connection>();

  /** @param terse leave out the word before sequence numbers. */
  constructor(absolute: boolean, terse: boolean) {
    this.absolute = absolute;
    this.terse = terse;
  }

  /** The pieces of the next segment; call it for each, in the order they were sent. */
  pieces(sent: Sent, remark: Piece | null): Piece[] {
    const { facts, from } = sent;
    const connection = this.connectionOf(sent);
    if (has(facts, SYN) && sent.stray === null) this.learn(connection[from], facts);
    const pieces: Piece[] = [{ text: `[${flagMarks(facts.flags)}]`, rank: 0, tone: has(facts, RST) ? 'bad' : 'bold' }];
    pieces.push(...this.numbers(facts, from, connection));
    if (segmentLength(facts) > 0 && sent.stray === null) connection[from].next = latest(connection[from].next, facts);
    if (facts.text.length > 0) pieces.push({ text: `len ${facts.text.length}`, rank: 3 });
    if (has(facts, URG)) pieces.push({ text: `urg ${facts.urgentPointer}`, rank: 1 });
    const sack = facts.options.sack?.map(([left, right]) => {
      const base = connection[otherEnd(from)].isn;
      return `${this.number(left, base)}:${this.number(right, base)}`;
    });
    if (sack !== undefined) pieces.push({ text: `sack ${sack.join(' ')}`, rank: 2 });
    pieces.push(...optionPieces(facts));
    const window = this.windowPiece(facts, connection, from);
    if (window !== null) pieces.push(window);
    const label = connection[from].pushed ? textLabel(facts.text) : null;
    if (facts.text.length > 0) connection[from].pushed = has(facts, PSH);
    if (label !== null) pieces.push({ text: label, rank: 4 });
    if (remark !== null) pieces.push(remark);
    return pieces;
  }

  private windowPiece(facts: SegmentFacts, connection: Connection, from: EndName): Piece | null {
    if (has(facts, RST)) return null;
    const closed = facts.window === 0 && !has(facts, SYN);
    return { text: `win ${this.window(facts, connection, from)}`, rank: closed ? 1 : 6 };
  }

  private numbers(facts: SegmentFacts, from: EndName, connection: Connection): Piece[] {
    const whole = has(facts, SYN);
    const own = whole ? null : connection[from].isn;
    const other = whole ? null : connection[otherEnd(from)].isn;
    const pieces: Piece[] = [];
    const seq = this.number(facts.seq, own);
    if (facts.text.length > 0) pieces.push(this.seqPiece(`${seq}:${this.number(segmentEnd(facts), own)}`));
    else if (segmentLength(facts) > 0 || has(facts, RST) || isOld(facts, connection[from]))
      pieces.push(this.seqPiece(seq));
    if (has(facts, ACK)) pieces.push({ text: `ack ${this.number(facts.ack, other)}`, rank: 0 });
    return pieces;
  }

  private seqPiece(numbers: string): Piece {
    return { text: this.terse ? numbers : `seq ${numbers}`, rank: 0 };
  }

  /** Relative to `base` where it can be of the same connection: what an old one said lies anywhere on the ring. */
  private number(value: Seq, base: Seq | null): string {
    const relative = base === null || this.absolute ? -1 : seqDiff(value, base);
    return String(relative >= 0 && relative < NEAR ? relative : seqToUint32(value));
  }

  private window(facts: SegmentFacts, connection: Connection, from: EndName): string {
    const scaled = !has(facts, SYN) && connection.client.windowScale >= 0 && connection.server.windowScale >= 0;
    return thousands(scaled ? facts.window * 2 ** connection[from].windowScale : facts.window);
  }

  private learn(side: Side, facts: SegmentFacts): void {
    if (side.isn !== facts.seq) side.next = null;
    side.isn = facts.seq;
    side.windowScale = facts.options.windowScale ?? -1;
  }

  private connectionOf({ facts, from }: Sent): Connection {
    const [client, server] =
      from === 'client' ? [facts.sourcePort, facts.destinationPort] : [facts.destinationPort, facts.sourcePort];
    const key = `${client} ${server}`;
    let connection = this.connections.get(key);
    if (connection === undefined) {
      connection = {
        client: { isn: null, next: null, pushed: true, windowScale: -1 },
        server: { isn: null, next: null, pushed: true, windowScale: -1 },
      };
      this.connections.set(key, connection);
    }
    return connection;
  }
}

function latest(next: Seq | null, facts: SegmentFacts): Seq {
  const end = segmentEnd(facts);
  return next === null ? end : seqMax(next, end);
}

/** A number that was used before on a segment without text: what makes a keep-alive one, so it is worth saying. */
function isOld(facts: SegmentFacts, { next }: Side): boolean {
  return next !== null && seqLt(facts.seq, next);
}

/** Options that matter: all of a SYN's. The timestamps that every later segment carries would only be noise. */
function optionPieces(facts: SegmentFacts): Piece[] {
  if (!has(facts, SYN)) return [];
  const { mss, windowScale, sackPermitted, timestamps } = facts.options;
  const pieces: Piece[] = [];
  if (mss !== undefined) pieces.push({ text: `mss ${mss}`, rank: 3 });
  if (windowScale !== undefined) pieces.push({ text: `ws ${windowScale}`, rank: 5 });
  if (sackPermitted) pieces.push({ text: 'sack', rank: 5 });
  if (timestamps !== undefined) pieces.push({ text: 'ts', rank: 5 });
  return pieces;
}

/** The first line of the text, when it reads like text. */
function textLabel(text: Uint8Array): string | null {
  let label = '';
  for (const byte of text.subarray(0, 40)) {
    if (byte === 13 || byte === 10) break;
    if (byte < 32 || byte > 126) return null;
    label += String.fromCharCode(byte);
  }
  return label.length < 3 ? null : `“${label.length > 28 ? `${label.slice(0, 27)}…` : label}”`;
}

/**
 * As many pieces as have room, in their order: first the long ones are said shortly, then those of the highest rank go.
 * Rank 0 always stays.
 */
export function piecesThatFit(pieces: readonly Piece[], room: number): Piece[] {
  if (lengthOf(pieces) <= room) return [...pieces];
  const kept = pieces.map((piece) => (piece.short === undefined ? piece : { ...piece, text: piece.short }));
  while (lengthOf(kept) > room) {
    const worst = Math.max(...kept.map((piece) => piece.rank));
    if (worst === 0) break;
    kept.splice(
      kept.findLastIndex((piece) => piece.rank === worst),
      1,
    );
  }
  return kept;
}

/** The pieces' length when spaces stand between them. */
export function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.text.length + 1, -1);
}
