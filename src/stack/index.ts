/** The sans-IO host: many interfaces, many connections, driven by `now`, frames and polls. */

export type { InterfaceOptions } from '../ip/interface.ts';
export type { Connection, ConnectionHandler } from './connection.ts';
export type { ConnectionOptions } from './connection-options.ts';
export type { Listener, ListenerHandler, ListenOptions } from './listener.ts';
export type { ConnectOptions } from './opening.ts';
export { applySetting, defaultSettings, describeSettings } from './settings.ts';
export type { Settings } from './settings-table.ts';
export { SOCKET_OPTIONS, type SocketOptionName } from './socket-options.ts';
export { type SocketRow, socketTable } from './socket-table.ts';
export { Stack, type StackOptions } from './stack.ts';
export type { StackTrace } from './trace.ts';
export type { UdpOptions, UdpSocket } from './udp.ts';
