/** A host of ours behind a TUN, as `serve` and `connect` need it: device, addresses, capture, settings. */

import type { Command } from 'commander';
import { EstabError } from '../../base/errors.ts';
import { type FaultyLinkOptions, faultyLink } from '../../embedded/faulty-link.ts';
import { Host } from '../../host/host.ts';
import { captureFile } from '../../link/capture-file.ts';
import type { Link } from '../../link/link.ts';
import { teeLink } from '../../link/tee.ts';
import { openTun, type TunLink } from '../../link/tun.ts';
import { configureTun, defaultPeer } from '../../link/tun-configure.ts';
import { applySetting, defaultSettings } from '../../stack/settings.ts';
import type { StackTrace } from '../../stack/trace.ts';
import { Misuse, readOptions } from '../demo/options.ts';

/** What a router before the narrow part of the path would hold. */
const QUEUE_SECONDS = 0.1;
const LEAST_QUEUE = 64 * 1024;

export interface DeviceOptions {
  readonly tun: string;
  readonly address: readonly string[];
  readonly peer: readonly string[];
  readonly mtu?: string;
  readonly sysctl: readonly string[];
  readonly seed?: string;
  readonly loss?: string;
  readonly delay?: string;
  readonly rate?: string;
}

export interface NetworkOptions extends DeviceOptions {
  readonly pcap?: string;
}

/** Gathers a repeatable option. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** The options that say how the stack hangs on the network. */
export function networkOptions(command: Command): Command {
  return deviceOptions(command.requiredOption('--tun <name>', 'the TUN device; made when it is not there'))
    .option('--pcap <file>', 'write what crosses the device to a pcapng file')
    .option('--loss <p>', 'lose packets at random, each way: 0.05 or 5%')
    .option('--delay <ms>', 'hold every packet up, each way')
    .option('--rate <bit/s>', 'each way, as in 500k or 10M')
    .option('--seed <n>', 'of the losses (1)');
}

/** What can be said of a device beside its name. */
export function deviceOptions(command: Command): Command {
  return command
    .option('--address <a/n>', "the stack's own address and prefix length; may be repeated", collect, [])
    .option('--peer <a>', "the kernel's address at the other end, one for each --address", collect, [])
    .option('--mtu <n>', 'MTU of the device, bytes')
    .option('--sysctl <name=value>', 'a setting under its Linux name; may be repeated', collect, []);
}

/** As {@link openDevice}, with a capture file where one is asked for. */
export function openNetwork(options: NetworkOptions, trace: StackTrace | null): Promise<Host> {
  const { pcap } = options;
  const watch = (device: TunLink): Link =>
    pcap === undefined ? device : teeLink(device, captureFile(pcap, device, device.name));
  return openDevice(options, trace, watch);
}

/** Opens the device, gives both ends their addresses and puts a host of ours behind it; `watch` may wrap the link. */
export async function openDevice(
  options: DeviceOptions,
  trace: StackTrace | null,
  watch: (device: TunLink) => Link,
): Promise<Host> {
  if (options.address.length === 0) {
    throw new EstabError('EINVAL', 'the stack needs an address of its own: --address 10.7.0.2/24');
  }
  const settings = defaultSettings();
  for (const text of options.sysctl) applySetting(settings, text);
  if (options.peer.length > options.address.length) {
    throw new EstabError(
      'EINVAL',
      `${options.peer.length} --peer for ${options.address.length} --address; give one each`,
    );
  }
  const pairs = options.address.map((local, i) => ({ local, peer: options.peer[i] ?? defaultPeer(local) }));
  const faults = faultsOf(options);
  const mtu = options.mtu === undefined ? undefined : Number(options.mtu);
  const device = await openTun({ name: options.tun, ...(mtu === undefined ? {} : { mtu }) });
  try {
    configureTun(device.name, pairs);
    const host = new Host({ settings, trace });
    const link = watch(device);
    const iface = host.attach(faults === null ? link : faultyLink(link, faults), {
      name: device.name,
      addresses: options.address,
    });
    // Whoever lives in another network is reached through the kernel, which routes or translates as it is told to.
    if (pairs.some(({ local }) => !local.includes(':'))) host.stack.addRoute('0.0.0.0/0', null, iface);
    if (pairs.some(({ local }) => local.includes(':'))) host.stack.addRoute('::/0', null, iface);
    return host;
  } catch (error) {
    device.close();
    throw error;
  }
}

/** The wire put between the stack and the device, null for none. @throws EstabError EINVAL */
function faultsOf({ seed, loss, delay, rate }: DeviceOptions): FaultyLinkOptions | null {
  if (loss === undefined && delay === undefined && rate === undefined) return null;
  try {
    const { rate: bits, ...wire } = readOptions({ seed, loss, delay: delay ?? '0', rate });
    const queue = bits === null ? {} : { rate: bits, queueBytes: Math.max(LEAST_QUEUE, (bits / 8) * QUEUE_SECONDS) };
    return { seed: wire.seed, loss: wire.loss, delayMs: wire.delayMs, ...queue };
  } catch (error) {
    if (error instanceof Misuse) throw new EstabError('EINVAL', error.message);
    throw error;
  }
}
