/**
 * A connection as the stories' applications see it: they write text, are told what arrives, and close. Everything they
 * do or are told is noted for the summary.
 */

export interface Conversation {
  /** Octets handed to the application so far. */
  readonly received: number;
  onOpened: () => void;
  /** Text that arrived, as it is read. */
  onText: (text: string) => void;
  onUrgent: () => void;
  /** The peer has nothing more to send. */
  onPeerClosed: () => void;
  write(text: string): void;
  writeUrgent(text: string): void;
  /** Nothing more to send from here; what the peer sends is still read. */
  close(): void;
  abort(): void;
  /** Stop reading: what arrives stays in the receive buffer. */
  pause(): void;
  resume(): void;
  keepAlive(): void;
  /** Small segments do not wait for the ACK of earlier ones. */
  noDelay(): void;
}
