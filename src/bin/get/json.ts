/** A run as one object. Times are milliseconds since it began. */

import { flowKey } from './recorder.ts';
import type { PageRecord } from './records.ts';
import type { Result } from './session.ts';
import { phasesOf } from './waterfall.ts';

export function jsonReport(result: Result): unknown {
  const { packets, lost, ground } = result;
  const { seed, loss, delayMs, tun } = result.options;
  const network =
    tun === null
      ? { kind: 'embedded', seed, loss, delayMs, packets, lost }
      : { kind: 'tun', device: ground.device, addresses: tun.address, nameServers: ground.nameServers, packets };
  return {
    network,
    pages: result.pages.map(pageOf),
    connections: result.connections.map((connection) => {
      const report = result.endings.get(flowKey(connection))?.report;
      const { firstCloser = null, timeWaitHolder = null, closing = null } = report ?? {};
      return { ...connection, close: { closing, firstCloser, timeWaitHolder } };
    }),
  };
}

function pageOf(page: PageRecord): unknown {
  return {
    ...page,
    requests: page.requests.map((request) => {
      const { failure, connection, ...rest } = request;
      const failed = failure === null ? null : { step: failure.step, code: failure.code, message: failure.message };
      return { ...rest, connection: connection?.id ?? null, phases: phasesOf(request), failure: failed };
    }),
  };
}
