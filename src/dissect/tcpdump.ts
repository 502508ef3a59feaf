/**
 * Packets as lines in the form of tcpdump 4.99, byte for byte where tcpdump is run with -n: the form everybody in this
 * trade reads. The reference is the program's own output; the tests compare with it.
 */

import { printLink } from './print-link.ts';
import { Printer, type TcpdumpOptions } from './printer.ts';
import { SequenceTable } from './sequence-table.ts';

export type { TcpdumpOptions } from './printer.ts';

/**
 * Formats one capture's packets in order (relative sequence numbers need what came before).
 *
 * ```ts
 * const formatter = new TcpdumpFormatter({ absolute: true });
 * formatter.line(seconds, nanoseconds, LinkType.RAW, packet, packet.length);
 * // 12:00:00.000000 IP 10.0.0.1.49152 > 10.0.0.2.80: Flags [S], seq 1874302217, win 64240, …
 * ```
 */
export class TcpdumpFormatter {
  private readonly options: TcpdumpOptions;
  private readonly printer: Printer;
  private clockSecond = Number.NaN;
  private clockText = '';

  constructor(options: TcpdumpOptions = {}) {
    this.options = options;
    this.printer = new Printer(options, new SequenceTable());
  }

  /** The line of a packet that begins the array `bytes`, without a line feed; -v makes it several lines. */
  line(
    seconds: number,
    nanoseconds: number,
    linkType: number,
    bytes: Uint8Array,
    originalLength: number = bytes.length,
  ): string {
    return this.lineAt(seconds, nanoseconds, linkType, bytes, 0, bytes.length, originalLength);
  }

  /** Like {@link line} for a packet within a larger array: data[offset … offset + length - 1]. */
  lineAt(
    seconds: number,
    nanoseconds: number,
    linkType: number,
    data: Uint8Array,
    offset: number,
    length: number,
    originalLength: number,
  ): string {
    if (length === 0 || originalLength < length) return invalidHeader(length, originalLength);
    const p = this.printer;
    p.text = this.time(seconds, nanoseconds);
    p.data = data;
    p.end = offset + length;
    p.protocol = '';
    printLink(p, linkType, offset, originalLength);
    const { text } = p;
    p.text = '';
    return text;
  }

  private time(seconds: number, nanoseconds: number): string {
    const { options } = this;
    if (options.noTime === true) return '';
    const fraction =
      options.nanoseconds === true
        ? String(nanoseconds).padStart(9, '0')
        : String(Math.floor(nanoseconds / 1000)).padStart(6, '0');
    if (options.epochTime === true) return `${seconds}.${fraction} `;
    if (seconds !== this.clockSecond) {
      const local = seconds + (options.timezone?.(seconds) ?? 0);
      const day = ((local % 86400) + 86400) % 86400;
      const hours = String(Math.floor(day / 3600)).padStart(2, '0');
      const minutes = String(Math.floor(day / 60) % 60).padStart(2, '0');
      this.clockText = `${hours}:${minutes}:${String(day % 60).padStart(2, '0')}.`;
      this.clockSecond = seconds;
    }
    return `${this.clockText}${fraction} `;
  }
}

function invalidHeader(length: number, originalLength: number): string {
  const faults: string[] = [];
  if (length === 0) faults.push('caplen==0');
  if (originalLength === 0) faults.push('len==0');
  else if (originalLength < length) faults.push(`len(${originalLength}) < caplen(${length})`);
  return `[Invalid header: ${faults.join(', ')}]`;
}
