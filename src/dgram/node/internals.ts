/** What of Node's insides a user-land UDP handle needs, typed: the native class, and where a socket keeps its handle. */

import dgram from 'node:dgram';

/** As `dgram` fills it in from getsockname, and gives it to 'message'. */
export interface AddressOut {
  address?: string;
  family?: string;
  port?: number;
}

/** Hears of datagrams, or with a negative count of an error. */
export type OnMessage = (count: number, handle: object, bytes?: Buffer, from?: AddressOut) => void;

/** libuv's own UDP handle. */
export interface KernelUdp {
  onmessage: OnMessage | null;
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
  connect(address: string, port: number): number;
  connect6(address: string, port: number): number;
  send(...args: unknown[]): number;
  send6(...args: unknown[]): number;
  recvStart(): number;
  recvStop(): number;
  disconnect(): number;
  getsockname(out: AddressOut): number;
  getpeername(out: AddressOut): number;
  close(onClosed?: () => void): void;
  ref(): void;
  unref(): void;
  hasRef(): boolean;
  getAsyncId(): number;
  lookup?: unknown;
}

interface Bindings {
  udp_wrap: { UDP: { new (): KernelUdp; prototype: object } };
}

const { binding } = process as unknown as { binding<Name extends keyof Bindings>(name: Name): Bindings[Name] };
export const { UDP } = binding.call(process, 'udp_wrap') as Bindings['udp_wrap'];

/** Where `dgram.Socket` keeps its handle. */
export interface SocketState {
  handle: KernelUdp | null;
  /** 0: it has no port yet. */
  readonly bindState: number;
}

const stateSymbol = findStateSymbol();

function findStateSymbol(): symbol {
  const socket = dgram.createSocket('udp4');
  const found = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  // No datagram has gone through it: the kernel has not heard of it.
  socket.close();
  if (found === undefined)
    throw new Error(`node:dgram of ${process.version} has no state symbol; estab/dgram needs it`);
  return found;
}

export function stateOf(socket: dgram.Socket): SocketState {
  return (socket as unknown as Record<symbol, SocketState>)[stateSymbol];
}
