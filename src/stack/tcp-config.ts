/** The engine's share of a host's settings: from Linux's names and units to {@link TcpConfig}. */

import { DEFAULT_TCP_CONFIG, type TcpConfig } from '../tcp/config.ts';
import type { Settings } from './settings-table.ts';

/** Linux's reading of tcp_orphan_retries=0. */
const ORPHAN_RETRIES = 8;

export function toTcpConfig(settings: Settings): TcpConfig {
  return {
    ...DEFAULT_TCP_CONFIG,
    rtoMinMs: settings.tcp_rto_min_us / 1000,
    rtoMaxMs: settings.tcp_rto_max_ms,
    synRetries: settings.tcp_syn_retries,
    synLinearTimeouts: settings.tcp_syn_linear_timeouts,
    synAckRetries: settings.tcp_synack_retries,
    retries1: settings.tcp_retries1,
    retries2: settings.tcp_retries2,
    orphanRetries: settings.tcp_orphan_retries === 0 ? ORPHAN_RETRIES : settings.tcp_orphan_retries,
    finTimeoutMs: settings.tcp_fin_timeout * 1000,
    timeWaitMs: settings.tcp_msl_ms * 2,
    rfc1337: settings.tcp_rfc1337 !== 0,
    keepAliveTimeMs: settings.tcp_keepalive_time * 1000,
    keepAliveIntervalMs: settings.tcp_keepalive_intvl * 1000,
    keepAliveProbes: settings.tcp_keepalive_probes,
    invalidRatelimitMs: settings.tcp_invalid_ratelimit,
    timestamps: settings.tcp_timestamps !== 0,
    windowScaling: settings.tcp_window_scaling !== 0,
    sack: settings.tcp_sack !== 0,
    dsack: settings.tcp_dsack !== 0,
    ecn: settings.tcp_ecn as 0 | 1 | 2,
    stdUrg: settings.tcp_stdurg !== 0,
    receiveBuffer: settings.tcp_rmem[1],
    receiveBufferMax: settings.tcp_rmem[2],
    moderateReceiveBuffer: settings.tcp_moderate_rcvbuf !== 0,
    sendBuffer: settings.tcp_wmem[1],
    sendBufferMax: settings.tcp_wmem[2],
    slowStartAfterIdle: settings.tcp_slow_start_after_idle !== 0,
    minSendMss: settings.tcp_min_snd_mss,
    mtuProbing: settings.tcp_mtu_probing as 0 | 1 | 2,
    baseMss: settings.tcp_base_mss,
  };
}
