/** What an application may choose about a connection: the options, what makes sense of them, and what they set. */

import { EstabError } from '../base/errors.ts';
import type { Time } from '../base/time.ts';
import { setKeepAlive, setUserTimeout, type Tcb, updateMss } from '../tcp/index.ts';
import { NO_CLAMP } from '../tcp/tcb.ts';

/** What an application may choose about a connection, at its opening or later. */
export interface ConnectionOptions {
  /** No waiting for company for small segments (MUST-17). */
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  /** Idle time before the first probe, ms; between probes, ms; unanswered probes that end the connection. */
  readonly keepAliveTimeMs?: number;
  readonly keepAliveIntervalMs?: number;
  readonly keepAliveProbes?: number;
  /** R2 as a time in ms: 0 leaves it to tcp_retries2, Infinity never gives up (MUST-21). */
  readonly userTimeoutMs?: number;
  /** Diffserv field, in the place it has in the header: 0 … 255, of which the low two bits (ECN) are ignored (MUST-48). */
  readonly trafficClass?: number;
  /** TTL or hop limit, 1 … 255 (MUST-49). */
  readonly hopLimit?: number;
  /** Whether {@link ConnectionHandler.softError} is wanted (SHLD-20). */
  readonly softErrors?: boolean;
  /** Most bytes that wait unread, from then on fixed; above rmem_max it counts as that. To count in the window scale, give
   * it at the opening. */
  readonly receiveBuffer?: number;
  /** Bytes unacknowledged above which `write` says full; above wmem_max it counts as that. */
  readonly sendBuffer?: number;
  /** Text is acknowledged at once, not with a delay. */
  readonly quickAck?: boolean;
  /** The largest segment announced and sent, options included, 88 … 65535: before the opening, or for what is sent. */
  readonly maxSegment?: number;
  /** The largest window offered, bytes; Infinity for no bound of its own. */
  readonly windowClamp?: number;
  /** Retransmissions of the SYN before the open fails; tcp_syn_retries, and three minutes at least, if left out. */
  readonly synRetries?: number;
  /** Life in FIN-WAIT-2 after the application has let go, ms; tcp_fin_timeout if left out. */
  readonly finTimeoutMs?: number;
}

/** How large an application may make a connection's buffers: rmem_max and wmem_max. */
export interface BufferLimits {
  readonly receiveBufferMax: number;
  readonly sendBufferMax: number;
}

/** Sets what {@link checkOptions} found good. */
export function applyOptions(tcb: Tcb, now: Time, options: ConnectionOptions, limits: BufferLimits): void {
  applyShownOptions(tcb, options, limits);
  if (options.noDelay !== undefined) tcb.nagle = !options.noDelay;
  tcb.keepAliveTimeMs = options.keepAliveTimeMs ?? tcb.keepAliveTimeMs;
  tcb.keepAliveIntervalMs = options.keepAliveIntervalMs ?? tcb.keepAliveIntervalMs;
  tcb.keepAliveProbes = options.keepAliveProbes ?? tcb.keepAliveProbes;
  const retimed = options.keepAliveTimeMs !== undefined && tcb.keepAlive;
  if (options.keepAlive !== undefined || retimed) setKeepAlive(tcb, now, options.keepAlive ?? true);
  if (options.userTimeoutMs !== undefined) setUserTimeout(tcb, now, options.userTimeoutMs);
  tcb.reportSoftErrors = options.softErrors ?? tcb.reportSoftErrors;
  tcb.quickAck = options.quickAck ?? tcb.quickAck;
  tcb.synRetries = options.synRetries ?? tcb.synRetries;
  tcb.finTimeoutMs = options.finTimeoutMs ?? tcb.finTimeoutMs;
  if (options.sendBuffer !== undefined) tcb.sendBufferSize = Math.min(options.sendBuffer, limits.sendBufferMax);
  if (options.maxSegment !== undefined) updateMss(tcb);
}

/** The options that a SYN or SYN,ACK shows already. */
export function applyShownOptions(tcb: Tcb, options: ConnectionOptions, limits: BufferLimits): void {
  tcb.hopLimit = options.hopLimit ?? tcb.hopLimit;
  if (options.trafficClass !== undefined) tcb.trafficClass = options.trafficClass & 0xfc;
  tcb.mssClamp = options.maxSegment ?? tcb.mssClamp;
  tcb.windowClamp = Math.min(options.windowClamp ?? tcb.windowClamp, NO_CLAMP);
  if (options.receiveBuffer === undefined) return;
  tcb.receiveBufferSize = Math.min(options.receiveBuffer, limits.receiveBufferMax);
  tcb.receiveBufferLocked = true;
}

/** Checks options before anything is made with them. @throws EstabError EINVAL */
export function checkOptions(options: ConnectionOptions): void {
  checkRange('keepAliveTimeMs', options.keepAliveTimeMs, 1, Number.MAX_SAFE_INTEGER);
  checkRange('keepAliveIntervalMs', options.keepAliveIntervalMs, 1, Number.MAX_SAFE_INTEGER);
  checkRange('keepAliveProbes', options.keepAliveProbes, 1, 127);
  checkRange('userTimeoutMs', options.userTimeoutMs, 0, Number.POSITIVE_INFINITY);
  checkRange('trafficClass', options.trafficClass, 0, 255);
  checkRange('hopLimit', options.hopLimit, 1, 255);
  checkRange('receiveBuffer', options.receiveBuffer, 1, Number.MAX_SAFE_INTEGER);
  checkRange('sendBuffer', options.sendBuffer, 1, Number.MAX_SAFE_INTEGER);
  checkRange('maxSegment', options.maxSegment, 88, 65_535);
  checkRange('windowClamp', options.windowClamp, 1, Number.POSITIVE_INFINITY);
  checkRange('synRetries', options.synRetries, 0, 127);
  checkRange('finTimeoutMs', options.finTimeoutMs, 0, Number.POSITIVE_INFINITY);
}

function checkRange(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (value >= min && value <= max)) return;
  throw new EstabError('EINVAL', `${name} ${value} is not in ${min} … ${max}`);
}
