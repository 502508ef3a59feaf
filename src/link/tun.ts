/**
 * A Linux TUN device as a link: the kernel of the network namespace this process runs in is the other end.
 *
 * When the device is readable a burst of packets is read, one system call each, into one hot buffer, and each is handed
 * on as a view of it; then the stack is told that the burst has ended. Asynchronous reads through the thread pool cost
 * 25 times as much (docs/decisions/0005-tun-through-koffi.md). Writes are synchronous too: the kernel's whole receive path
 * runs inside them.
 */
import { EstabError } from '../base/errors.ts';
import type { Link, LinkHandlers } from './link.ts';
import { Errno, openTunDevice, type TunDevice } from './tun-device.ts';

export interface TunOptions {
  /** The interface's name; made if it is not there. Empty or left out: the kernel chooses one. */
  name?: string;
  /** MTU to give the interface, 68 … 65535 bytes; left out: as it is (1500 for a new one). */
  mtu?: number;
}

/** Packets read before the stack may acknowledge and send: long enough to batch, short enough for other input. */
const BURST = 64;
const LARGEST_PACKET = 65_535;

/**
 * Opens a TUN device. It carries nothing until the interface is up and has an address: see `configureTun`.
 * In a Worker, close it before `worker.terminate()`: that runs no code which could, and the process would crash.
 * @throws EstabError as `openTunDevice` does: ENOTSUP, ENODEV, EPERM, EBUSY, EINVAL.
 */
export async function openTun(options: TunOptions = {}): Promise<TunLink> {
  return openTunNow(options);
}

/** As {@link openTun}, within the call. */
export function openTunNow(options: TunOptions = {}): TunLink {
  return new TunLink(openTunDevice(options.name ?? '', options.mtu));
}

export class TunLink implements Link {
  /** The interface's name. */
  readonly name: string;
  readonly mtu: number;
  readonly layer = 'ip';
  readonly mac = null;
  readonly checksum = { tx: false, rx: false };
  readonly segmentation = 0;
  /** Frames that went nowhere: the interface was down, or the kernel had no memory. */
  dropped = 0;

  private readonly device: TunDevice;
  private readonly buffer = new Uint8Array(LARGEST_PACKET + 1);
  /** A view of the buffer for each length seen: making one anew for every packet would feed the collector. */
  private readonly views: (Uint8Array | undefined)[] = [];
  private handlers: LinkHandlers | null = null;
  private open = true;
  private full = false;
  private readonly onReady = (readable: boolean, writable: boolean): void => {
    if (writable && this.full) this.drained();
    if (readable && this.open) this.readBurst();
  };

  /** @param device an open device; the link closes it. `openTun` is the usual way here. */
  constructor(device: TunDevice) {
    this.device = device;
    this.name = device.name;
    this.mtu = device.mtu;
  }

  start(handlers: LinkHandlers): void {
    if (this.handlers !== null || !this.open)
      throw new EstabError('EINVAL', 'this link has been started or closed already');
    this.handlers = handlers;
    this.device.watch(false, this.onReady);
  }

  /** @throws EstabError EINVAL for bytes that the kernel does not take for an IP packet. */
  send(frame: Uint8Array): boolean {
    if (!this.open) return true;
    const n = this.device.write(frame);
    if (n >= 0) return true;
    switch (-n) {
      case Errno.EAGAIN:
        this.becomeFull();
        return false;
      case Errno.EINVAL:
        throw new EstabError(
          'EINVAL',
          `these ${frame.length} bytes are no IPv4 or IPv6 packet; a TUN carries nothing else`,
        );
      case Errno.EIO: // the interface is down
      case Errno.ENOMEM:
      case Errno.ENOBUFS:
        this.dropped++;
        return true;
      default:
        this.fail(-n);
        return true;
    }
  }

  /** Waiting for packets does not keep the process alive any more. */
  unref(): void {
    this.device.unref();
  }

  close(): void {
    this.end(null);
  }

  private readBurst(): void {
    const handlers = this.handlers;
    if (handlers === null) return;
    let error = 0;
    for (let i = 0; i < BURST && this.open; i++) {
      const n = this.device.read(this.buffer);
      if (n <= 0) {
        error = -n;
        break;
      }
      let view = this.views[n];
      if (view === undefined) {
        view = this.buffer.subarray(0, n);
        this.views[n] = view;
      }
      handlers.frame(view, false);
    }
    if (this.open) handlers.burstEnd();
    if (error !== 0 && error !== Errno.EAGAIN) this.fail(error);
  }

  private becomeFull(): void {
    if (this.full) return;
    this.full = true;
    this.device.watch(true, this.onReady);
  }

  private drained(): void {
    this.full = false;
    this.device.watch(false, this.onReady);
    this.handlers?.writable();
  }

  private fail(errno: number): void {
    this.end(new EstabError('EIO', `TUN device ${this.name} is gone (errno ${errno}); was the interface deleted?`));
  }

  private end(error: Error | null): void {
    if (!this.open) return;
    this.open = false;
    this.device.close();
    this.handlers?.closed(error);
  }
}
