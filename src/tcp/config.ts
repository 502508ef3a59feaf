/**
 * What may be set about the engine. One frozen object serves all connections of a stack; the few things an application
 * may choose per connection are fields of the TCB, initialised from here. Defaults are Linux's where Linux has one.
 */

/** Times are milliseconds, sizes bytes. */
export interface TcpConfig {
  /** RTO before the first sample (RFC 6298 2.1). */
  readonly rtoInitialMs: number;
  /** Linux's 200 ms where RFC 6298 2.4 says 1 s: today's clocks and delayed-ACK bounds make the second needless. */
  readonly rtoMinMs: number;
  readonly rtoMaxMs: number;
  /** Retransmissions of a SYN before the open fails, but see {@link synR2MinMs}. */
  readonly synRetries: number;
  /** How many SYN timeouts come before they double. */
  readonly synLinearTimeouts: number;
  /** The open does not fail before this time, whatever synRetries says: RFC 9293 3.8.3 asks for 3 minutes (MUST-23). */
  readonly synR2MinMs: number;
  /** Retransmissions of a SYN,ACK before a half-open connection is dropped. */
  readonly synAckRetries: number;
  /** R1: retransmissions before the application and the IP layer are told. */
  readonly retries1: number;
  /** R2, as Linux counts it: the time that many doublings from rtoMinMs take (15: 924.6 s). */
  readonly retries2: number;
  /** Retransmissions of a connection nobody owns any more. */
  readonly orphanRetries: number;
  /** Life of an orphan in FIN-WAIT-2. */
  readonly finTimeoutMs: number;
  /** 2 MSL: the stay in TIME-WAIT. */
  readonly timeWaitMs: number;
  /** RFC 1337: a RST does not end TIME-WAIT. */
  readonly rfc1337: boolean;
  readonly keepAliveTimeMs: number;
  readonly keepAliveIntervalMs: number;
  readonly keepAliveProbes: number;
  /** Keep-alive probes carry one octet of garbage, for peers that ignore empty ones (MAY-6). */
  readonly keepAliveGarbage: boolean;
  /** Least gap between two ACKs that answer unacceptable segments, challenge ACKs included (RFC 5961 section 7). */
  readonly invalidRatelimitMs: number;
  readonly timestamps: boolean;
  readonly windowScaling: boolean;
  readonly sack: boolean;
  readonly dsack: boolean;
  /** 0 never, 1 ask for it and accept it, 2 accept it when asked. */
  readonly ecn: 0 | 1 | 2;
  /** The urgent pointer names the last urgent octet (RFC 1122) and not the one after it (RFC 9293, RFC 6093). */
  readonly stdUrg: boolean;
  /** Receive buffer: at first, and the most it may grow to. */
  readonly receiveBuffer: number;
  readonly receiveBufferMax: number;
  /** The receive buffer follows what the application takes per round trip. */
  readonly moderateReceiveBuffer: boolean;
  /** Send buffer: `send` says full above it; it follows twice the congestion window up to the maximum. */
  readonly sendBuffer: number;
  readonly sendBufferMax: number;
  /** An ACK waits at most this long for company (RFC 9293 3.8.6.3: under 500). */
  readonly delayedAckMs: number;
  /** Full-sized segments in the initial window (RFC 6928). */
  readonly initialWindow: number;
  /** Back to the initial window after an idle RTO (RFC 5681 4.1). */
  readonly slowStartAfterIdle: boolean;
  /** No MSS below this is taken from a peer, options included (CVE-2019-11479). */
  readonly minSendMss: number;
  /** 0 off, 1 fall back to {@link baseMss} when a path seems to swallow large packets (RFC 4821 section 7.7), 2 always. */
  readonly mtuProbing: 0 | 1 | 2;
  readonly baseMss: number;
  /** Nagle's algorithm at the start of a connection (SHLD-7). */
  readonly nagle: boolean;
  /** Keep-alives at the start of a connection: MUST-25 wants them off. */
  readonly keepAlive: boolean;
}

export const DEFAULT_TCP_CONFIG: TcpConfig = {
  rtoInitialMs: 1000,
  rtoMinMs: 200,
  rtoMaxMs: 120_000,
  synRetries: 6,
  synLinearTimeouts: 4,
  synR2MinMs: 180_000,
  synAckRetries: 5,
  retries1: 3,
  retries2: 15,
  orphanRetries: 8,
  finTimeoutMs: 60_000,
  timeWaitMs: 60_000,
  rfc1337: false,
  keepAliveTimeMs: 7_200_000,
  keepAliveIntervalMs: 75_000,
  keepAliveProbes: 9,
  keepAliveGarbage: false,
  invalidRatelimitMs: 500,
  timestamps: true,
  windowScaling: true,
  sack: true,
  dsack: true,
  ecn: 2,
  stdUrg: false,
  receiveBuffer: 131_072,
  receiveBufferMax: 33_554_432,
  moderateReceiveBuffer: true,
  sendBuffer: 16_384,
  sendBufferMax: 4_194_304,
  delayedAckMs: 40,
  initialWindow: 10,
  slowStartAfterIdle: true,
  minSendMss: 48,
  mtuProbing: 0,
  baseMss: 1024,
  nagle: true,
  keepAlive: false,
};
