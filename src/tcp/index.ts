/** The TCP engine: one connection, no addresses, no clock. See THEORY.md beside this file. */

export { abort } from './abort.ts';
export { close, orphan } from './close.ts';
export { DEFAULT_TCP_CONFIG, type TcpConfig } from './config.ts';
export { type CookieContents, openFromCookie } from './cookie-open.ts';
export { Event } from './events.ts';
export { icmpUnreachable } from './icmp.ts';
export { brokenInvariant } from './invariants.ts';
export { setKeepAlive } from './keepalive.ts';
export { openActive, openPassive } from './open.ts';
export { updateMss } from './options.ts';
export { output, wantsOutput } from './output.ts';
export { icmpTooBig, setPathMtu, TooBig } from './path-mtu.ts';
export { receive, urgentRemaining } from './receive.ts';
export { segmentArrives } from './segment-arrives.ts';
export { replyToClosed } from './segment-arrives-closed.ts';
export { reopensTimeWait } from './segment-arrives-otherwise.ts';
export { isSendBufferFull, type SendOptions, send, sendBufferLimit } from './send.ts';
export { isSynchronized, State, type StateName, stateName } from './state.ts';
export { status, type TcpStatus } from './status.ts';
export { setState, setUserTimeout, Tcb, type TcbTrace, type TimerName } from './tcb.ts';
export { deadline, timeouts } from './timeouts.ts';
