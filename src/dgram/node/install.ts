/** Puts the handles of `dgram` sockets on a host of ours: of a class of its own, or for a whole process. */

import dgram from 'node:dgram';
import { ownerSymbol } from '../../net/node/internals.ts';
import { UdpHandle, type UdpSource } from './handle.ts';
import { type KernelUdp, stateOf, UDP } from './internals.ts';

/**
 * Before a socket binds (and whatever it does first, it binds): gives it a handle of ours in the place of libuv's. Not
 * where it is to take over a descriptor or a handle.
 */
export function adopt(socket: dgram.Socket, [first, second]: unknown[], source: UdpSource): void {
  const state = stateOf(socket);
  const { handle } = state;
  if (handle === null || state.bindState !== 0 || Object.getPrototypeOf(handle) !== UDP.prototype) return;
  const given = first as { fd?: unknown; recvStart?: unknown; exclusive?: unknown } | null;
  if (typeof given === 'object' && given !== null && (given.fd !== undefined || given.recvStart !== undefined)) return;
  // As send and connect call it.
  const implicit = second === null && given?.exclusive === true;
  const ours = new UdpHandle(source, (socket as unknown as { type: string }).type === 'udp6', implicit);
  ours.lookup = handle.lookup;
  if (!handle.hasRef()) ours.unref();
  Object.assign(ours, { [ownerSymbol]: socket });
  handle.close();
  state.handle = ours as unknown as KernelUdp;
}

/** Patches dgram. Once per process. */
export function installDgram(source: UdpSource): void {
  const prototype = dgram.Socket.prototype;
  const { bind } = prototype;
  prototype.bind = function (this: dgram.Socket, ...args: unknown[]) {
    adopt(this, args, source);
    return Reflect.apply(bind, this, args);
  } as typeof bind;
}
