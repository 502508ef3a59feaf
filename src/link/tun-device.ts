/**
 * The system calls behind a Linux TUN device, through koffi: open, name, read and write without waiting, watch for
 * readiness. Linux only, and koffi is an optional package; both absences are reported as what to do about them.
 *
 * Buffers are handed to koffi as typed arrays at each call and never as raw addresses: an address does not keep its
 * buffer alive, and the kernel would write into memory that V8 has given away.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { EstabError } from '../base/errors.ts';

/** Linux errno values that reading and writing a TUN can give; the same on every architecture Node runs on. */
export const Errno = {
  EPERM: 1,
  EIO: 5,
  EAGAIN: 11,
  ENOMEM: 12,
  EBUSY: 16,
  ENODEV: 19,
  EINVAL: 22,
  ENOBUFS: 105,
} as const;

/** An open TUN device, as the link uses it. */
export interface TunDevice {
  /** The interface's name as the kernel has it. */
  readonly name: string;
  readonly mtu: number;
  /** One packet into `buffer`: its length, or minus an errno. */
  read(buffer: Uint8Array): number;
  /** One packet from `frame`: its length, or minus an errno. */
  write(frame: Uint8Array): number;
  /** Calls `ready` whenever there is something to read (or, when `writable`, room to write); replaces the last call. */
  watch(writable: boolean, ready: (readable: boolean, writable: boolean) => void): void;
  /** Watching does not keep the process alive any more. */
  unref(): void;
  /** Stops watching and closes. To be called once; nothing else is called afterwards. */
  close(): void;
}

/** What is used of koffi; its own declarations are of no help, every call in them takes and gives `any`. */
interface Koffi {
  load(path: null): { func(definition: string): unknown };
  errno(): number;
  node: {
    poll(fd: number, options: PollEvents, callback: PollCallback): PollHandle;
  };
}
interface PollEvents {
  readable: boolean;
  writable: boolean;
}
/** koffi's declaration leaves out the first argument: 0, or libuv's error, after which nothing is watched any more. */
type PollCallback = (status: number, events: PollEvents) => void;
interface PollHandle {
  start(options: PollEvents, callback: PollCallback): void;
  unref(): void;
  close(): void;
}

interface Calls {
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  socket(domain: number, type: number, protocol: number): number;
  close(fd: number): number;
  read(fd: number, buffer: Uint8Array, length: number): number;
  write(fd: number, buffer: Uint8Array, length: number): number;
}

const TUNSETIFF = 0x400454ca;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
const SIOCGIFMTU = 0x8921;
const SIOCSIFMTU = 0x8922;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const IFREQ_BYTES = 40;
const IFNAME_BYTES = 16;

const AS_ROOT =
  'run as root or give node CAP_NET_ADMIN, or create the device first as root: ip tuntap add dev NAME mode tun user $USER';

/**
 * Opens the TUN device `name`, which is made (and goes away on close) unless it is there already; an empty name lets
 * the kernel choose `tun0`, `tun1`, …. With `mtu` the interface is given that MTU.
 *
 * @throws EstabError ENOTSUP (not Linux, or koffi missing), ENODEV (no /dev/net/tun), EPERM, EBUSY (in use), EINVAL (a
 * name that cannot be, or an interface of that name that is no TUN).
 */
export function openTunDevice(name: string, mtu?: number): TunDevice {
  checkName(name);
  if (process.platform !== 'linux') {
    throw new EstabError(
      'ENOTSUP',
      `TUN devices are Linux's, this is ${process.platform}; use a memory link, or run on Linux`,
    );
  }
  const koffi = loadKoffi();
  const libc = koffi.load(null);
  const calls = {
    ioctl: libc.func('int ioctl(int fd, unsigned long request, void *argument)'),
    socket: libc.func('int socket(int domain, int type, int protocol)'),
    close: libc.func('int close(int fd)'),
    read: libc.func('intptr_t read(int fd, void *buffer, size_t length)'),
    write: libc.func('intptr_t write(int fd, void *buffer, size_t length)'),
  } as Calls;
  const fd = openCloneDevice();
  try {
    const actual = attach(koffi, calls, fd, name);
    return new KoffiTunDevice(koffi, calls, fd, actual, interfaceMtu(koffi, calls, actual, mtu));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function checkName(name: string): void {
  if (name.length >= IFNAME_BYTES || !/^[\x21-\x7e]*$/.test(name) || name.includes('/') || name.includes('%')) {
    throw new EstabError('EINVAL', `"${name}" cannot name an interface; use at most 15 letters, digits, - or _`);
  }
}

/** Loaded when it is needed, and at once: a preload script has its device before the program begins. */
function loadKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi;
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new EstabError(
      'ENOTSUP',
      `a TUN device needs the package koffi, which does not load (${reason}); npm install koffi@3.3.4`,
    );
  }
}

function openCloneDevice(): number {
  try {
    return openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new EstabError('EPERM', `this user may not open /dev/net/tun; ${AS_ROOT}`);
    }
    throw new EstabError(
      'ENODEV',
      `/dev/net/tun cannot be opened (${code}); load the module (modprobe tun), or pass the device into the container`,
    );
  }
}

/** struct ifreq with the name, and a 32-bit value behind it. */
function ifreq(name: string, value: number): Uint8Array {
  const request = new Uint8Array(IFREQ_BYTES);
  new TextEncoder().encodeInto(name, request);
  new DataView(request.buffer).setInt32(IFNAME_BYTES, value, true);
  return request;
}

function attach(koffi: Koffi, calls: Calls, fd: number, name: string): string {
  const request = ifreq(name, IFF_TUN | IFF_NO_PI);
  if (calls.ioctl(fd, TUNSETIFF, request) === 0) {
    return new TextDecoder().decode(request.subarray(0, request.indexOf(0)));
  }
  const errno = koffi.errno();
  if (errno === Errno.EPERM) {
    throw new EstabError(
      'EPERM',
      `no permission to use TUN device ${name}; ${AS_ROOT.replace('NAME', name || 'tun0')}`,
    );
  }
  if (errno === Errno.EBUSY) {
    throw new EstabError('EBUSY', `TUN device ${name} is in use by another program; end it or choose another name`);
  }
  if (errno === Errno.EINVAL) {
    throw new EstabError('EINVAL', `${name} is an interface of another kind, no TUN device; choose another name`);
  }
  throw new EstabError('EIO', `TUN device ${name} cannot be set up (errno ${errno})`);
}

/** Sets the MTU if one is wanted, and reads what it is. By ioctl, since /sys may show another network namespace. */
function interfaceMtu(koffi: Koffi, calls: Calls, name: string, wanted?: number): number {
  const socket = calls.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw new EstabError('EIO', `no socket to ask for the MTU of ${name} (errno ${koffi.errno()})`);
  try {
    if (wanted !== undefined && calls.ioctl(socket, SIOCSIFMTU, ifreq(name, wanted)) !== 0) {
      const errno = koffi.errno();
      if (errno === Errno.EPERM)
        throw new EstabError(
          'EPERM',
          `no permission to set the MTU of ${name}; as root: ip link set ${name} mtu ${wanted}`,
        );
      throw new EstabError('EINVAL', `${name} does not take an MTU of ${wanted}; between 68 and 65535 is possible`);
    }
    const request = ifreq(name, 0);
    if (calls.ioctl(socket, SIOCGIFMTU, request) !== 0) {
      throw new EstabError('EIO', `the MTU of ${name} cannot be read (errno ${koffi.errno()})`);
    }
    return new DataView(request.buffer).getInt32(IFNAME_BYTES, true);
  } finally {
    calls.close(socket); // not closeSync: Node counts the descriptors it opened itself, and warns in a Worker
  }
}

/**
 * Open devices. The poll handle must be reachable from here: koffi's wrapper is collected with the last reference to
 * it, and the device would go silent. And all must be closed before the environment is torn down: a Worker that exits
 * with a handle still watched takes the process down with it. (`worker.terminate()` runs no code in the Worker, so
 * there the link must be closed before.)
 */
const openDevices = new Set<KoffiTunDevice>();

function closeAll(): void {
  for (const device of openDevices) device.close();
}

class KoffiTunDevice implements TunDevice {
  readonly name: string;
  readonly mtu: number;
  private readonly koffi: Koffi;
  private readonly calls: Calls;
  private readonly fd: number;
  private poll: PollHandle | null = null;
  private background = false;

  constructor(koffi: Koffi, calls: Calls, fd: number, name: string, mtu: number) {
    this.koffi = koffi;
    this.calls = calls;
    this.fd = fd;
    this.name = name;
    this.mtu = mtu;
    if (openDevices.size === 0) process.on('exit', closeAll);
    openDevices.add(this);
  }

  read(buffer: Uint8Array): number {
    const n = this.calls.read(this.fd, buffer, buffer.length);
    return n < 0 ? -this.koffi.errno() : n;
  }

  write(frame: Uint8Array): number {
    const n = this.calls.write(this.fd, frame, frame.length);
    return n < 0 ? -this.koffi.errno() : n;
  }

  watch(writable: boolean, ready: (readable: boolean, writable: boolean) => void): void {
    const options = { readable: true, writable };
    // An error stands for no event: the next read says what is wrong, or that nothing is.
    const goOn = (status: number, events: PollEvents): void => {
      if (!openDevices.has(this)) return;
      if (status === 0) ready(events.readable, events.writable);
      else ready(true, writable);
      if (status !== 0) this.poll?.start(options, callback);
    };
    // koffi calls from outside of Node's callback scopes: what is thrown would vanish, and ticks would run in the middle of
    // the next native call that calls back (TLS would read its records in the wrong order). An immediate of the same turn.
    const callback: PollCallback = (status, events) => void setImmediate(goOn, status, events);
    if (this.poll === null) this.poll = this.koffi.node.poll(this.fd, options, callback);
    else this.poll.start(options, callback);
    if (this.background) this.poll.unref();
  }

  unref(): void {
    this.background = true;
    this.poll?.unref();
  }

  close(): void {
    if (!openDevices.delete(this)) return;
    if (openDevices.size === 0) process.off('exit', closeAll);
    this.poll?.close();
    this.poll = null;
    closeSync(this.fd);
  }
}
