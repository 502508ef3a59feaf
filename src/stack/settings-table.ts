/**
 * The settings of a host: Linux's sysctl names, defaults (kernel 6.18) and meanings, and the few of our own that Linux
 * fixes at compile time. `settings.ts` reads and checks them, `tcp-config.ts` hands the engine its share.
 */

/** One integer. */
export interface IntegerSpec {
  readonly kind: 'integer';
  /** What stands before the short name. */
  readonly path: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly meaning: string;
  /** False: taken and remembered for the sake of scripts written for Linux, without effect so far. */
  readonly actedOn: boolean;
}

/** Several integers that must not fall. */
export interface VectorSpec extends Omit<IntegerSpec, 'kind' | 'default'> {
  readonly kind: 'vector';
  readonly default: readonly number[];
}

/** One of a few words. */
export interface WordSpec {
  readonly kind: 'word';
  readonly path: string;
  readonly default: string;
  readonly words: readonly string[];
  readonly unit: string;
  readonly meaning: string;
  readonly actedOn: boolean;
}

/** Ports and ranges of ports, `22,8000-8100`. */
export interface PortListSpec {
  readonly kind: 'ports';
  readonly path: string;
  readonly default: string;
  readonly unit: string;
  readonly meaning: string;
  readonly actedOn: boolean;
}

export type SettingSpec = IntegerSpec | VectorSpec | WordSpec | PortListSpec;

const INT_MAX = 2_147_483_647;
const IPV4 = 'net.ipv4.';
const CORE = 'net.core.';
const OURS = 'net.estab.';

function integer(path: string, value: number, min: number, max: number, unit: string, meaning: string): IntegerSpec {
  return { kind: 'integer', path, default: value, min, max, unit, meaning, actedOn: true };
}

function flag(value: 0 | 1, meaning: string): IntegerSpec {
  return integer(IPV4, value, 0, 1, '0 or 1', meaning);
}

function vector(value: readonly number[], min: number, max: number, unit: string, meaning: string): VectorSpec {
  return { kind: 'vector', path: IPV4, default: value, min, max, unit, meaning, actedOn: true };
}

function word(value: string, words: readonly string[], meaning: string): WordSpec {
  return { kind: 'word', path: IPV4, default: value, words, unit: words.join(', '), meaning, actedOn: true };
}

function notActedOn(spec: IntegerSpec): IntegerSpec {
  return { ...spec, actedOn: false };
}

export const SETTINGS = {
  // -- IP and ICMP
  icmp_echo_ignore_all: flag(0, 'answer no ping at all'),
  icmp_echo_ignore_broadcasts: flag(1, 'answer no ping sent to a broadcast or multicast address'),
  icmp_msgs_burst: integer(IPV4, 50, 1, INT_MAX, 'messages', 'burst of the budget for all ICMP errors'),
  icmp_msgs_per_sec: integer(IPV4, 1000, 1, INT_MAX, 'messages a second', 'budget for all ICMP errors'),
  icmp_ratelimit: integer(IPV4, 1000, 0, INT_MAX, 'ms', 'least gap between ICMP errors to one destination'),
  icmp_ratemask: integer(IPV4, 6168, 0, INT_MAX, 'bit set', 'ICMP types that are rate limited'),
  ip_default_ttl: integer(IPV4, 64, 1, 255, 'hops', 'TTL and hop limit of what is sent'),
  ip_local_port_range: vector([32_768, 60_999], 1, 65_535, 'ports', 'first and last ephemeral port'),
  ip_local_reserved_ports: {
    kind: 'ports',
    path: IPV4,
    default: '',
    unit: 'ports',
    meaning: 'ports never chosen by themselves, like 8080,9000-9010',
    actedOn: true,
  },
  ip_no_pmtu_disc: integer(
    IPV4,
    0,
    0,
    3,
    '0 … 3',
    'path MTU discovery: 0 on, 1 off (one message leads straight to the least MTU), 2 off and messages ignored, 3 on for TCP alone',
  ),
  ipfrag_high_thresh: integer(IPV4, 4_194_304, 0, INT_MAX, 'bytes', 'memory for datagrams being reassembled'),
  ipfrag_time: integer(IPV4, 30, 1, INT_MAX / 1000, 's', 'life of a datagram being reassembled'),

  // -- opening and listening
  somaxconn: integer(CORE, 4096, 1, 65_535, 'connections', 'most a backlog can be'),
  tcp_abort_on_overflow: flag(
    0,
    'reset connections the accept queue has no room for, instead of letting the client retry',
  ),
  tcp_max_syn_backlog: integer(
    IPV4,
    2048,
    1,
    INT_MAX,
    'requests',
    'half-open requests of a listener without cookies; the last quarter is for proven peers',
  ),
  tcp_syn_linear_timeouts: integer(IPV4, 4, 0, 127, 'timeouts', 'SYN timeouts that come before they double'),
  tcp_syn_retries: integer(IPV4, 6, 1, 127, 'retransmissions', 'of a SYN, before the open fails'),
  tcp_synack_retries: integer(IPV4, 5, 0, 255, 'retransmissions', 'of a SYN,ACK, before the request is dropped'),
  tcp_syncookies: integer(IPV4, 1, 0, 2, '0, 1, 2', 'SYN cookies: 0 never, 1 when the SYN queue is full, 2 always'),

  // -- what is agreed on
  tcp_dsack: flag(1, 'report duplicates (RFC 2883)'),
  tcp_ecn: integer(IPV4, 2, 0, 2, '0, 1, 2', 'ECN: 0 never, 1 ask and accept, 2 accept when asked'),
  tcp_sack: flag(1, 'selective acknowledgements (RFC 2018)'),
  tcp_stdurg: flag(0, 'urgent pointer names the last urgent octet (RFC 1122), not the one behind it (RFC 9293)'),
  tcp_timestamps: integer(IPV4, 1, 0, 2, '0, 1, 2', 'timestamps: 0 off, 1 with an offset a connection, 2 without'),
  tcp_window_scaling: flag(1, 'window scale (RFC 7323)'),

  // -- timers
  tcp_keepalive_intvl: integer(IPV4, 75, 1, 32_767, 's', 'gap between keep-alive probes'),
  tcp_keepalive_probes: integer(IPV4, 9, 1, 127, 'probes', 'unanswered keep-alive probes that end a connection'),
  tcp_keepalive_time: integer(IPV4, 7200, 1, 32_767, 's', 'idle time before the first keep-alive probe'),
  tcp_retries1: integer(IPV4, 3, 0, 255, 'retransmissions', 'R1: then the application hears that nobody answers'),
  tcp_retries2: integer(IPV4, 15, 0, 255, 'retransmissions', 'R2, counted in doublings from the least RTO'),
  tcp_rto_max_ms: integer(IPV4, 120_000, 1000, 120_000, 'ms', 'greatest retransmission timeout'),
  tcp_rto_min_us: integer(IPV4, 200_000, 1, 120_000_000, 'µs', 'least retransmission timeout'),

  // -- closing
  tcp_fin_timeout: integer(IPV4, 60, 0, INT_MAX / 1000, 's', 'life in FIN-WAIT-2 of a connection nobody owns'),
  tcp_max_orphans: integer(IPV4, 131_072, 0, INT_MAX, 'connections', 'connections nobody owns; more are reset'),
  tcp_max_tw_buckets: integer(
    IPV4,
    131_072,
    0,
    INT_MAX,
    'connections',
    'connections in TIME-WAIT; more are freed at once',
  ),
  tcp_msl_ms: integer(OURS, 30_000, 1, 240_000, 'ms', 'MSL: TIME-WAIT lasts twice as long (Linux: fixed, 60 s in all)'),
  tcp_orphan_retries: integer(IPV4, 0, 0, 255, 'retransmissions', 'of a connection nobody owns; 0 means 8'),
  tcp_rfc1337: flag(0, 'a RST does not end TIME-WAIT'),
  tcp_tw_reuse: integer(
    IPV4,
    2,
    0,
    2,
    '0, 1, 2',
    'open from a port in TIME-WAIT where timestamps allow: 2 on loopback',
  ),
  tcp_tw_reuse_delay: integer(IPV4, 1000, 1, 60_000, 'ms', 'least age in TIME-WAIT for tcp_tw_reuse'),

  // -- memory
  rmem_max: integer(CORE, 4_194_304, 2304, INT_MAX, 'bytes', 'most an application may ask for as receive buffer'),
  wmem_max: integer(CORE, 4_194_304, 4608, INT_MAX, 'bytes', 'most an application may ask for as send buffer'),
  tcp_mem: vector([287_901, 383_868, 575_802], 0, INT_MAX, 'pages of 4096', 'all TCP buffers: ease, pressure, limit'),
  tcp_moderate_rcvbuf: flag(1, 'receive buffers follow the application'),
  tcp_rmem: vector([4096, 131_072, 33_554_432], 1, INT_MAX, 'bytes', 'receive buffer: least, first, greatest'),
  tcp_wmem: vector([4096, 16_384, 4_194_304], 1, INT_MAX, 'bytes', 'send buffer: least, first, greatest'),

  // -- sending
  tcp_base_mss: integer(IPV4, 1024, 48, 65_535, 'bytes', 'MSS that a black hole is answered with'),
  tcp_congestion_control: word('reno', ['reno'], 'congestion control of new connections'),
  tcp_invalid_ratelimit: integer(
    IPV4,
    500,
    0,
    INT_MAX,
    'ms',
    'least gap between ACKs of one connection that answer unacceptable segments',
  ),
  tcp_min_snd_mss: integer(IPV4, 48, 48, 65_535, 'bytes', 'least MSS taken from a peer, options included'),
  tcp_mtu_probing: integer(IPV4, 0, 0, 2, '0, 1, 2', 'path MTU probing: 0 off, 1 in a black hole, 2 always'),
  tcp_slow_start_after_idle: flag(1, 'back to the initial window after an idle time'),

  // -- accepted without effect
  tcp_challenge_ack_limit: notActedOn(
    integer(
      IPV4,
      INT_MAX,
      1,
      INT_MAX,
      'ACKs a second',
      'challenge ACKs of the whole host; each connection has its own limit instead',
    ),
  ),
  tcp_recovery: notActedOn(integer(IPV4, 1, 0, 7, 'bit set', 'RACK-TLP; recovery is NewReno so far')),
} as const satisfies Record<string, SettingSpec>;

export type SettingName = keyof typeof SETTINGS;

type ValueOf<S> = S extends { kind: 'integer' } ? number : S extends { kind: 'vector' } ? readonly number[] : string;

/** All settings by short name. An object of these is read while the host runs: a change takes effect at the next use. */
export type Settings = { [name in SettingName]: ValueOf<(typeof SETTINGS)[name]> };
