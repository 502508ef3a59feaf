/**
 * The network of a program that asks for none: one host of ours with nothing but its loopback, made when it is first
 * used. Programs of one process reach one another on it at localhost, 127.0.0.1 and ::1.
 */

import { Host } from '../host/host.ts';

let chosen: Host | null = null;

/** The host that `estab/net` itself stands on. */
export function defaultHost(): Host {
  // Like a kernel's: its timers keep no process alive.
  chosen ??= new Host({ background: true });
  return chosen;
}

/** Puts `estab/net` on another host, from the next connection or listener on. */
export function useHost(host: Host): void {
  chosen = host;
}
