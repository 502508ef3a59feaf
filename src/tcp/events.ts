/**
 * What a connection has to tell its application (RFC 9293 section 3.9.1.8), as a bit set: the engine raises bits, the
 * stack hands them over at a moment of its own choosing and clears them. Data itself is never in an event.
 */

export const Event = {
  /** ESTABLISHED was reached. */
  OPENED: 1,
  /** There is text to read. */
  READABLE: 2,
  /** The send buffer has room again after {@link send} said it was full. */
  WRITABLE: 4,
  /** The peer's FIN arrived in order: no text will follow what is already buffered. */
  PEER_CLOSED: 8,
  /** The urgent pointer arrived or moved on (MUST-32). */
  URGENT: 16,
  /** An ICMP error that does not end the connection (MUST-47, SHLD-25). */
  SOFT_ERROR: 32,
  /** R1 was passed: the peer has not answered several retransmissions (SHLD-9). */
  NOT_RESPONDING: 64,
  /** CLOSED was reached, for the reason in `tcb.error`. */
  CLOSED: 128,
  /** TIME-WAIT was entered: the application's part is over, the name pair is kept a while. */
  TIME_WAIT: 256,
  /** Everything sent, the FIN included, was acknowledged: the CLOSE call's "ok". */
  FLUSHED: 512,
} as const;
