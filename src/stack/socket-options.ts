/**
 * Options of a connection under the names, numbers and units of Linux's setsockopt: what `setOption` and `getOption` of
 * every kind of socket take. `connection-options.ts` checks and sets what is behind them.
 */

import { EstabError } from '../base/errors.ts';
import { sendBufferLimit } from '../tcp/send.ts';
import { NO_CLAMP, type Tcb } from '../tcp/tcb.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { SETTINGS } from './settings-table.ts';

interface OptionSpec {
  readonly meaning: string;
  /** `0 or 1`, `s`, `ms`, `bytes` … */
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  to(value: number): ConnectionOptions;
  read(tcb: Tcb): number;
}

const INT_MAX = 2_147_483_647;

function flag(meaning: string, to: (on: boolean) => ConnectionOptions, read: (tcb: Tcb) => boolean): OptionSpec {
  return { meaning, unit: '0 or 1', min: 0, max: 1, to: (value) => to(value !== 0), read: (tcb) => Number(read(tcb)) };
}

function number(
  unit: string,
  range: readonly [min: number, max: number],
  meaning: string,
  to: OptionSpec['to'],
  read: OptionSpec['read'],
): OptionSpec {
  return { meaning, unit, min: range[0], max: range[1], to, read };
}

const trafficClass = number(
  'octet',
  [0, 255],
  'Diffserv field of what is sent; its two low bits belong to ECN',
  (value) => ({ trafficClass: value }),
  (tcb) => tcb.trafficClass,
);
const hopLimit = number(
  'hops',
  [1, 255],
  'TTL or hop limit of what is sent',
  (value) => ({ hopLimit: value }),
  (tcb) => tcb.hopLimit,
);

export const SOCKET_OPTIONS = {
  SO_KEEPALIVE: flag(
    'keep-alive probes',
    (keepAlive) => ({ keepAlive }),
    (tcb) => tcb.keepAlive,
  ),
  SO_RCVBUF: number(
    'bytes',
    [1, INT_MAX],
    'receive buffer, fixed from then on, rmem_max at most (not doubled, as Linux does)',
    (value) => ({ receiveBuffer: value }),
    (tcb) => tcb.receiveBufferSize,
  ),
  SO_SNDBUF: number(
    'bytes',
    [1, INT_MAX],
    'send buffer, fixed from then on, wmem_max at most (not doubled, as Linux does)',
    (value) => ({ sendBuffer: value }),
    sendBufferLimit,
  ),
  TCP_NODELAY: flag(
    'small segments do not wait for company',
    (noDelay) => ({ noDelay }),
    (tcb) => !tcb.nagle,
  ),
  TCP_QUICKACK: flag(
    'text is acknowledged at once; it stays until it is taken back',
    (quickAck) => ({ quickAck }),
    (tcb) => tcb.quickAck,
  ),
  TCP_KEEPIDLE: number(
    's',
    [1, 32_767],
    'idle time before the first keep-alive probe',
    (value) => ({ keepAliveTimeMs: value * 1000 }),
    (tcb) => tcb.keepAliveTimeMs / 1000,
  ),
  TCP_KEEPINTVL: number(
    's',
    [1, 32_767],
    'between keep-alive probes',
    (value) => ({ keepAliveIntervalMs: value * 1000 }),
    (tcb) => tcb.keepAliveIntervalMs / 1000,
  ),
  TCP_KEEPCNT: number(
    'probes',
    [1, 127],
    'unanswered keep-alive probes that end the connection',
    (value) => ({ keepAliveProbes: value }),
    (tcb) => tcb.keepAliveProbes,
  ),
  TCP_USER_TIMEOUT: number(
    'ms',
    [0, INT_MAX],
    'how long sent text may stay unacknowledged; 0: tcp_retries2 says',
    (value) => ({ userTimeoutMs: value }),
    (tcb) => tcb.userTimeoutMs,
  ),
  TCP_SYNCNT: number(
    'retransmissions',
    [1, 127],
    'of the SYN, before the open fails',
    (value) => ({ synRetries: value }),
    (tcb) => (tcb.synRetries < 0 ? tcb.config.synRetries : tcb.synRetries),
  ),
  TCP_LINGER2: number(
    's',
    [0, 120],
    'life in FIN-WAIT-2 once nobody owns the connection',
    (value) => ({ finTimeoutMs: value * 1000 }),
    (tcb) => tcb.finTimeoutMs / 1000,
  ),
  TCP_MAXSEG: number(
    'bytes',
    [88, 32_767],
    'largest segment announced (before the opening) and sent',
    (value) => ({ maxSegment: value }),
    (tcb) => tcb.sndMss,
  ),
  TCP_WINDOW_CLAMP: number(
    'bytes',
    [0, INT_MAX],
    'largest window offered; 0 for no bound',
    (value) => ({ windowClamp: value === 0 ? Number.POSITIVE_INFINITY : value }),
    (tcb) => (tcb.windowClamp === NO_CLAMP ? 0 : tcb.windowClamp),
  ),
  IP_TOS: trafficClass,
  IPV6_TCLASS: trafficClass,
  IP_TTL: hopLimit,
  IPV6_UNICAST_HOPS: hopLimit,
} as const satisfies Record<string, OptionSpec>;

/** `TCP_NODELAY`, `SO_RCVBUF`, … and TCP_CONGESTION, whose value is a word. */
export type SocketOptionName = keyof typeof SOCKET_OPTIONS | 'TCP_CONGESTION';

const NAMES = [...Object.keys(SOCKET_OPTIONS), 'TCP_CONGESTION'] as const;
const CONGESTION = SETTINGS.tcp_congestion_control;

/**
 * One option in the terms of {@link ConnectionOptions}. True and false count as 1 and 0.
 * @throws EstabError EINVAL for a name there is not, or a value that makes no sense; says what does.
 */
export function toConnectionOptions(name: SocketOptionName, value: number | boolean | string): ConnectionOptions {
  if (name === 'TCP_CONGESTION') {
    if (CONGESTION.words.some((word) => word === value)) return {};
    throw new EstabError('EINVAL', `TCP_CONGESTION ${value} is not available; allowed: ${CONGESTION.words.join(', ')}`);
  }
  const { min, max, unit, to } = specOf(name);
  const given = typeof value === 'boolean' ? Number(value) : value;
  if (typeof given === 'number' && Number.isInteger(given) && given >= min && given <= max) return to(given);
  throw new EstabError('EINVAL', `${name} ${value} is not allowed; a whole number ${min} … ${max} (${unit}) is`);
}

/** What is in force. @throws EstabError EINVAL for a name there is not. */
export function readOption(tcb: Tcb, name: SocketOptionName): number | string {
  return name === 'TCP_CONGESTION' ? CONGESTION.default : specOf(name).read(tcb);
}

function specOf(name: string): OptionSpec {
  if (Object.hasOwn(SOCKET_OPTIONS, name)) return SOCKET_OPTIONS[name as keyof typeof SOCKET_OPTIONS];
  throw new EstabError('EINVAL', `there is no socket option "${name}"; known are ${NAMES.join(', ')}`);
}
