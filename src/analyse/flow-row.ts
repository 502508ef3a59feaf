/** One row a connection, flat, for tables: CSV, NDJSON, Parquet, SQL. The columns are the public schema of `estab flows`. */

import type { CaptureReport, ConnectionReport } from './report.ts';

export type Cell = string | number | boolean | null;
export type FlowRow = Record<string, Cell>;

/** Rows of a report, in the order of the connections; every row has the same columns. */
export function flowRows(report: CaptureReport): FlowRow[] {
  const epoch = report.start === null ? null : report.start.seconds + report.start.nanoseconds / 1e9;
  return report.connections.map((c) => flowRow(report.file, epoch, c));
}

function flowRow(file: string, epoch: number | null, c: ConnectionReport): FlowRow {
  const row: FlowRow = {
    file,
    connection: c.id,
    client_address: c.client.address,
    client_port: c.client.port,
    server_address: c.server.address,
    server_port: c.server.port,
    start_epoch: epoch === null ? null : epoch + c.start,
    start_seconds: c.start,
    duration_seconds: c.duration,
    first_frame: c.firstFrame,
    last_frame: c.lastFrame,
    packets: c.packets,
    client_packets: c.sides.client.packets,
    server_packets: c.sides.server.packets,
    client_bytes: c.sides.client.bytes,
    server_bytes: c.sides.server.bytes,
    handshake: c.handshake,
    close: c.close,
    closing: c.closing,
    first_closer: c.firstCloser,
    time_wait_holder: c.timeWaitHolder,
    capture_point: c.capturePoint,
    handshake_rtt_ms: c.rtt.handshake,
    client_rtt_min_ms: c.rtt.client?.min ?? null,
    client_rtt_median_ms: c.rtt.client?.median ?? null,
    client_rtt_max_ms: c.rtt.client?.max ?? null,
    server_rtt_min_ms: c.rtt.server?.min ?? null,
    server_rtt_median_ms: c.rtt.server?.median ?? null,
    server_rtt_max_ms: c.rtt.server?.max ?? null,
    client_mss: c.sides.client.mss,
    server_mss: c.sides.server.mss,
    window_scale: c.options.windowScale,
    sack: c.options.sack,
    timestamps: c.options.timestamps,
    ecn: c.options.ecn,
    fast_open: c.options.fastOpen,
  };
  for (const [name, n] of Object.entries(c.counts)) row[snake(name)] = n;
  row.finding_kinds = [...new Set(c.findings.map((f) => f.kind))].join(' ');
  row.wireshark_completeness = c.wireshark.completeness;
  row.zeek_conn_state = c.zeek.connState;
  row.zeek_history = c.zeek.history;
  return row;
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** RFC 4180: quoted where a comma, a quote or a line end stands in it. */
export function csvLine(cells: readonly Cell[]): string {
  return cells
    .map((cell) => {
      const text = cell === null ? '' : String(cell);
      return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(',');
}
