/**
 * The state of one line being written: the text so far, the packet's bytes, and where they end. tcpdump keeps a
 * "snapshot end" that each header may only bring nearer; so does this, and a reader asks {@link Printer.has} before it
 * looks at a byte. Where bytes are missing the line ends with `[|tcp]`, the protocol at which it broke off.
 */

import { hex2, hex4 } from './addresses.ts';
import type { SequenceTable } from './sequence-table.ts';

export interface TcpdumpOptions {
  /** Absolute sequence numbers (tcpdump -S) instead of those relative to the handshake. */
  absolute?: boolean;
  /** 1: IP header fields and checksums (tcpdump -v); 2: sequence numbers of pure acknowledgments too (-vv). */
  verbose?: number;
  /** Seconds to add to UTC for the time shown; 0 (UTC) if left out. */
  timezone?: (seconds: number) => number;
  /** Nine digits of a second instead of six (tcpdump --nano). */
  nanoseconds?: boolean;
  /** No time at the line's beginning (tcpdump -t). */
  noTime?: boolean;
  /** Seconds since 1970 instead of the time of day (tcpdump -tt). */
  epochTime?: boolean;
}

export class Printer {
  text = '';
  data: Uint8Array = new Uint8Array(0);
  /** Index after the last byte that may be read. */
  end = 0;
  /** Named in `[|…]` when bytes are missing. */
  protocol = '';
  readonly absolute: boolean;
  readonly verbose: number;
  readonly sequences: SequenceTable;

  constructor(options: TcpdumpOptions, sequences: SequenceTable) {
    this.absolute = options.absolute ?? false;
    this.verbose = options.verbose ?? 0;
    this.sequences = sequences;
  }

  /** Whether `length` bytes at `at` were captured; writes `[|protocol]` when not. */
  has(at: number, length: number): boolean {
    if (at + length <= this.end) return true;
    this.truncated();
    return false;
  }

  truncated(): void {
    this.text += ` [|${this.protocol}]`;
  }

  invalid(): void {
    this.text += ' (invalid)';
  }

  /** Brings the end of the readable bytes nearer. */
  limit(end: number): void {
    if (end < this.end) this.end = end;
  }

  /** The bytes of a payload nobody understands, as tcpdump shows them: offset, hex, characters. */
  hexAndText(at: number, length: number): void {
    this.text += hexAndText(this.data, at, Math.min(length, this.end - at), '\n\t');
  }
}

/** `0x0000:  4500 003c …  E..<…` lines of 16 octets, each led by `indent`. */
export function hexAndText(data: Uint8Array, at: number, length: number, indent: string): string {
  let out = '';
  for (let row = 0; row < length; row += 16) {
    const n = Math.min(16, length - row);
    let hex = '';
    let characters = '';
    for (let i = 0; i < n; i++) {
      const octet = data[at + row + i];
      hex += (i % 2 === 0 ? ' ' : '') + hex2(octet);
      characters += octet > 32 && octet < 127 ? String.fromCharCode(octet) : '.';
    }
    out += `${indent}0x${hex4(row)}: ${hex.padEnd(40)}  ${characters}`;
  }
  return out;
}

/** `0x0000:  4500 003c …` lines of 16 octets, each led by `indent`. */
export function hexLines(data: Uint8Array, at: number, length: number, indent: string): string {
  let out = '';
  for (let row = 0; row < length; row += 16) {
    out += `${indent}0x${hex4(row)}: `;
    const n = Math.min(16, length - row);
    for (let i = 0; i < n; i++) out += (i % 2 === 0 ? ' ' : '') + hex2(data[at + row + i]);
  }
  return out;
}
