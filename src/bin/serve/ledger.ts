/** Who was connected, and how it ended: the table that `estab serve` prints when it is stopped. */

import type { Socket } from '../../net/socket.ts';
import { IpAddress } from '../../wire/address.ts';

interface Entry {
  readonly peer: string;
  readonly since: number;
  readonly socket: Socket;
  ended: string;
  until: number | null;
}

/** Rows printed; a long run keeps the newest. */
const MOST_ROWS = 1000;

export class Ledger {
  /** Connections that were accepted in all. */
  total = 0;
  private readonly entries: Entry[] = [];
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  add(socket: Socket): void {
    this.total++;
    // An IPv4 peer of a server for both families goes by its IPv4 address here.
    const address = IpAddress.parse(socket.remoteAddress ?? '::');
    const peer = `${address.family === 6 ? `[${address}]` : address}:${socket.remotePort}`;
    const entry: Entry = { peer, since: this.now(), socket, ended: 'open', until: null };
    this.entries.push(entry);
    if (this.entries.length > MOST_ROWS) this.forgetOldest();
    let error: string | null = null;
    socket.on('error', (cause: Error & { code?: string }) => {
      error = cause.code ?? cause.message;
    });
    socket.on('close', () => {
      if (entry.until !== null) return;
      entry.ended = error ?? 'closed';
      entry.until = this.now();
    });
  }

  /** The oldest that is over; who is still connected is not forgotten. */
  private forgetOldest(): void {
    const oldest = this.entries.findIndex((entry) => entry.until !== null);
    if (oldest >= 0) this.entries.splice(oldest, 1);
  }

  /** Sockets that are still open. */
  get open(): Socket[] {
    return this.entries.filter((entry) => entry.until === null).map((entry) => entry.socket);
  }

  /** Breaks off what is still open, with a RST. */
  reset(): void {
    for (const entry of this.entries) {
      if (entry.until !== null) continue;
      entry.socket.resetAndDestroy();
      entry.ended = 'reset by us';
      entry.until = this.now();
    }
  }

  /** The table, a line a connection. */
  table(): string[] {
    const rows = this.entries.map((entry) => [
      entry.peer,
      String(entry.socket.bytesRead),
      String(entry.socket.bytesWritten),
      `${(((entry.until ?? this.now()) - entry.since) / 1000).toFixed(3)} s`,
      entry.ended,
    ]);
    const table = [['peer', 'bytes in', 'bytes out', 'time', 'end'], ...rows];
    const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
    const lines = table.map((row) =>
      row
        .map((cell, i) => (i === 0 || i === 4 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    );
    const hidden = this.total - this.entries.length;
    return hidden > 0 ? [...lines, `(and ${hidden} older connections)`] : lines;
  }
}
