/**
 * What a link is: something that carries whole frames between a stack and the world, and says what it can do.
 *
 * A link never interprets what it carries. Frames handed over in either direction belong to the giver again when the
 * call returns, unless the link says otherwise (`owned`), so that a device may read into one hot buffer and a stack may
 * write from another.
 */

/** What a link calls; given once, at {@link Link.start}. */
export interface LinkHandlers {
  /**
   * A frame has arrived. `frame` is a view that is valid during the call only, unless `owned` is true: then its buffer
   * is the receiver's to keep.
   */
  frame(frame: Uint8Array, owned: boolean): void;
  /** No more frames are at hand now: the time to acknowledge and to send, once for all that came. */
  burstEnd(): void;
  /** After {@link Link.send} returned false: there is room again. */
  writable(): void;
  /**
   * The link is gone: with null after {@link Link.close}, with an error when it failed by itself. Called once, and
   * nothing is called after it.
   */
  closed(error: Error | null): void;
}

export interface Link {
  /** The largest IP packet it carries, bytes; an Ethernet header comes on top. */
  readonly mtu: number;
  /** `ip`: a frame is an IPv4 or IPv6 packet. `ethernet`: it starts with the destination MAC and has no FCS. */
  readonly layer: 'ip' | 'ethernet';
  /** The link's own address, 6 bytes; null where layer is `ip`. */
  readonly mac: Uint8Array | null;
  /** True where the link makes (tx) or has verified (rx) the TCP and UDP checksum; false: the stack does. */
  readonly checksum: { readonly tx: boolean; readonly rx: boolean };
  /** Largest TCP super-segment that the link cuts by itself, bytes; 0 when it takes single segments only. */
  readonly segmentation: number;
  /** Begins to deliver. To be called once; what arrives before is kept or lost as the medium does. */
  start(handlers: LinkHandlers): void;
  /**
   * Takes one frame; it is the caller's again when the call returns. False when the link is full: the frame was not
   * taken, and `writable` will be called. After the link has closed frames go nowhere and the answer is true.
   */
  send(frame: Uint8Array): boolean;
  /** Gives the medium back. May be called at any time, also twice. */
  close(): void;
}
