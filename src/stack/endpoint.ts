/**
 * What the demultiplexer keeps: the two ends of a conversation, and the links of the hash chain it hangs in. The remote
 * end is held as words so that an entry for a closed connection stays small.
 */

import { IpAddress } from '../wire/address.ts';

export const EndpointKind = { CONNECTION: 0, TIME_WAIT: 1, LISTENER: 2, UDP: 3 } as const;
export type EndpointKind = (typeof EndpointKind)[keyof typeof EndpointKind];

/** A port that stands for all: a listener or socket on it takes what no other one does. */
export const ANY_PORT = 0;

export abstract class Endpoint {
  readonly kind: EndpointKind;
  readonly local: IpAddress;
  /** Remote address, all zero where there is none yet. */
  r0 = 0;
  r1 = 0;
  r2 = 0;
  r3 = 0;
  /** Both ports in one int32: local in the upper half, remote in the lower. */
  ports: number;
  /** Owned by the table. */
  chain: Endpoint | null = null;
  hash = 0;

  constructor(kind: EndpointKind, local: IpAddress, localPort: number, remotePort: number) {
    this.kind = kind;
    this.local = local;
    this.ports = (localPort << 16) | remotePort;
  }

  get localPort(): number {
    return this.ports >>> 16;
  }

  get remotePort(): number {
    return this.ports & 0xffff;
  }

  /** The remote address; `::` where there is none. A new object each time. */
  get remote(): IpAddress {
    return new IpAddress(this.r0, this.r1, this.r2, this.r3);
  }

  /** For an endpoint on ::, whether IPv4 is none of its business. */
  get v6Only(): boolean {
    return false;
  }

  protected setRemote(remote: { w0: number; w1: number; w2: number; w3: number }, remotePort: number): void {
    this.r0 = remote.w0;
    this.r1 = remote.w1;
    this.r2 = remote.w2;
    this.r3 = remote.w3;
    this.ports = (this.ports & 0xffff_0000) | remotePort;
  }
}
