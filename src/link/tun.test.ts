/** The TUN link over a made-up device, and what `openTun` says where it cannot work. The real one: test/interop. */
import Module from 'node:module';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { LinkHandlers } from './link.ts';
import { openTun, TunLink } from './tun.ts';
import { defaultPeer } from './tun-configure.ts';
import { Errno, type TunDevice } from './tun-device.ts';

class FakeDevice implements TunDevice {
  readonly name = 'fake0';
  readonly mtu = 1400;
  readonly input: (number[] | number)[] = [];
  readonly written: number[][] = [];
  writeError = 0;
  closed = 0;
  watching = '';
  ready: (readable: boolean, writable: boolean) => void = () => {};

  read(buffer: Uint8Array): number {
    const next = this.input.shift();
    if (next === undefined) return -Errno.EAGAIN;
    if (typeof next === 'number') return -next;
    buffer.set(next);
    return next.length;
  }
  write(frame: Uint8Array): number {
    if (this.writeError !== 0) return -this.writeError;
    this.written.push([...frame]);
    return frame.length;
  }
  watch(writable: boolean, ready: (readable: boolean, writable: boolean) => void): void {
    this.watching = writable ? 'rw' : 'r';
    this.ready = ready;
  }
  unref(): void {}
  close(): void {
    this.closed++;
  }
}

function started(handlers: Partial<LinkHandlers> = {}): { device: FakeDevice; link: TunLink; log: string[] } {
  const log: string[] = [];
  const device = new FakeDevice();
  const link = new TunLink(device);
  link.start({
    frame: (frame, owned) => log.push(`frame ${[...frame].join(' ')} ${owned}`),
    burstEnd: () => log.push('end'),
    writable: () => log.push('writable'),
    closed: (error) => log.push(`closed ${error?.message ?? 'by us'}`),
    ...handlers,
  });
  return { device, link, log };
}

describe('reading', () => {
  test('a burst of packets, each a view of the right length, then its end', () => {
    const { device, log } = started();
    device.input.push([1, 2, 3], [4], [5, 6, 7]);
    device.ready(true, false);
    expect(log).toEqual(['frame 1 2 3 false', 'frame 4 false', 'frame 5 6 7 false', 'end']);
  });

  test('stops after 64 packets so that other input gets its turn', () => {
    const { device, log } = started();
    for (let i = 0; i < 100; i++) device.input.push([i]);
    device.ready(true, false);
    expect(log).toHaveLength(65);
    device.ready(true, false);
    expect(log).toHaveLength(102);
    expect(log.at(-2)).toBe('frame 99 false');
  });

  test('closing inside a burst ends it: nothing more is read or told', () => {
    const { device, link, log } = started({ frame: () => link.close() });
    device.input.push([1], [2]);
    device.ready(true, false);
    expect(log).toEqual(['closed by us']);
    expect(device.input).toHaveLength(1);
  });

  test('a device that is gone closes the link with an error', () => {
    const { device, log } = started();
    device.input.push([1], 77);
    device.ready(true, false);
    expect(log).toEqual([
      'frame 1 false',
      'end',
      'closed TUN device fake0 is gone (errno 77); was the interface deleted?',
    ]);
    expect(device.closed).toBe(1);
  });
});

describe('writing', () => {
  test('hands the frame over at once', () => {
    const { device, link } = started();
    expect(link.send(Uint8Array.of(1, 2))).toBe(true);
    expect(device.written).toEqual([[1, 2]]);
  });

  test('EAGAIN: refused, watched for room, told once, watched no more', () => {
    const { device, link, log } = started();
    device.writeError = Errno.EAGAIN;
    expect(link.send(Uint8Array.of(1))).toBe(false);
    expect(link.send(Uint8Array.of(1))).toBe(false);
    expect(device.watching).toBe('rw');
    device.writeError = 0;
    device.ready(false, true);
    expect(device.watching).toBe('r');
    expect(log).toEqual(['writable']);
    expect(link.send(Uint8Array.of(1))).toBe(true);
  });

  test('a link that fills up again while it says it is writable stays watched', () => {
    const { device, link, log } = started({ writable: () => link.send(Uint8Array.of(1)) });
    device.writeError = Errno.EAGAIN;
    link.send(Uint8Array.of(1));
    device.ready(false, true);
    expect(device.watching).toBe('rw');
    expect(log).toEqual([]);
  });

  test.each([Errno.EIO, Errno.ENOMEM, Errno.ENOBUFS])(
    'errno %i loses the frame and counts it, as a wire would',
    (errno) => {
      const { device, link, log } = started();
      device.writeError = errno;
      expect(link.send(Uint8Array.of(1))).toBe(true);
      expect(link.dropped).toBe(1);
      expect(log).toEqual([]);
    },
  );

  test('bytes that are no packet are the caller’s mistake', () => {
    const { device, link } = started();
    device.writeError = Errno.EINVAL;
    expect(() => link.send(Uint8Array.of(1))).toThrow('these 1 bytes are no IPv4 or IPv6 packet');
  });

  test('after closing frames go nowhere', () => {
    const { device, link, log } = started();
    link.close();
    link.close();
    expect(link.send(Uint8Array.of(1))).toBe(true);
    expect(device.written).toEqual([]);
    expect(device.closed).toBe(1);
    expect(log).toEqual(['closed by us']);
    expect(() => link.start({} as LinkHandlers)).toThrow('started or closed');
  });
});

describe('openTun where it cannot work', () => {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor;
  afterEach(() => {
    Object.defineProperty(process, 'platform', platform);
    vi.doUnmock('koffi');
    vi.resetModules();
  });

  test('on another system', async () => {
    Object.defineProperty(process, 'platform', { ...platform, value: 'darwin' });
    await expect(openTun()).rejects.toMatchObject({
      code: 'ENOTSUP',
      message: expect.stringContaining('this is darwin'),
    });
  });

  test.each(['a-name-of-16-byt', 'a/b', 'a b', 'tun%d'])('with the name %s', async (name) => {
    await expect(openTun({ name })).rejects.toMatchObject({ code: 'EINVAL', message: expect.stringContaining(name) });
  });

  test('without koffi', async () => {
    const loader = Module as unknown as { _resolveFilename(request: string): string };
    const missing = vi.spyOn(loader, '_resolveFilename').mockImplementation((request) => {
      throw new Error(`Cannot find module '${request}'`);
    });
    const message = expect.stringMatching(/Cannot find module 'koffi'.*npm install koffi@3\.3\.4/);
    await expect(openTun()).rejects.toMatchObject({ code: 'ENOTSUP', message });
    missing.mockRestore();
  });
});

describe('the kernel’s address when only the stack’s is given', () => {
  test.each([
    ['10.7.0.2/24', '10.7.0.1'],
    ['10.7.0.1/24', '10.7.0.2'],
    ['10.7.3.200/16', '10.7.0.1'],
    ['192.168.5.9/30', '192.168.5.10'],
    ['192.168.5.8/31', '192.168.5.9'],
    ['192.168.5.9/31', '192.168.5.8'],
    ['fd00:7::2/64', 'fd00:7::1'],
    ['fd00:7::1:2:3:4/48', 'fd00:7::1'],
    ['fd00:7::1/126', 'fd00:7::2'],
  ])('%s gives %s', (local, peer) => {
    expect(defaultPeer(local)).toBe(peer);
  });

  test.each(['10.7.0.2/32', '10.7.0.2', 'x/24', '10.0.0.1/33', 'fd00::1/129', '10.0.0.1/24/8', '10.0.0.1/'])(
    '%s gives a reason',
    (local) => {
      expect(() => defaultPeer(local)).toThrow(/no room|write it like/);
    },
  );
});
