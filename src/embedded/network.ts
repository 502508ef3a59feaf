/**
 * A network declared in a few lines, inside the process and in real time:
 *
 *     const network = new EmbeddedNetwork({
 *       hosts: {
 *         laptop: { address: '10.0.0.1' },
 *         shop: { address: '203.0.113.10', names: ['shop.example'], delayMs: 10, loss: 0.02 },
 *         ns: { address: '10.0.0.53', delayMs: 2, zones: 'names' },
 *       },
 *     });
 *     network.host('shop').stack.listen(…)
 *
 * Each host hangs on a wire of its own, with its own delay and faults, at one router in the middle; what goes from one
 * host to another goes through both wires. Names are served by the hosts that hold the zones.
 */

import { EstabError } from '../base/errors.ts';
import { DnsServer } from '../dns/server.ts';
import { Host } from '../host/host.ts';
import { Wire, type WireEvent, type WireOptions } from '../sim/wire.ts';
import { IpAddress } from '../wire/address.ts';
import { IpPacket, parseIp } from '../wire/ip.ts';
import { checkHost } from './check.ts';
import { RealTimeWorld } from './clock.ts';
import { addressesOf, type HostDeclaration, settingsOf } from './declaration.ts';
import { WireLink } from './link.ts';
import { zonesOf } from './names.ts';

export interface NetworkOptions {
  readonly hosts: Readonly<Record<string, HostDeclaration>>;
  /** Of all faults; 1 if left out. Times, ports and sequence numbers stay what they are in the real world. */
  readonly seed?: number;
  /** Largest IP packet; 1500 if left out. */
  readonly mtu?: number;
  /** Its timers do not keep the process alive (Node): for programs that others keep alive by what they wait for. */
  readonly background?: boolean;
  /** Told what becomes of every frame on every host's wire (`a` is the host's end). */
  readonly observe?: (host: string, event: WireEvent) => void;
}

const DEFAULT_MTU = 1500;

export class EmbeddedNetwork {
  private readonly clock: RealTimeWorld;
  private readonly hosts = new Map<string, Host>();
  private readonly wires = new Map<string, Wire>();
  private readonly servers: DnsServer[] = [];
  /** The router's table. */
  private readonly owners: { readonly address: IpAddress; readonly wire: Wire }[] = [];
  private readonly packet = new IpPacket();

  /** @throws EstabError EINVAL for a declaration that makes no sense. */
  constructor(options: NetworkOptions) {
    this.clock = new RealTimeWorld(options.seed ?? 1, options.background ?? false);
    for (const [name, declaration] of Object.entries(options.hosts)) this.add(name, declaration, options);
    for (const [name, { zones }] of Object.entries(options.hosts)) {
      if (zones === undefined) continue;
      const held = zones === 'names' ? zonesOf(options.hosts) : zones;
      this.servers.push(new DnsServer(this.host(name), { zones: held }));
    }
  }

  /** @throws EstabError EINVAL when none of that name was declared. */
  host(name: string): Host {
    const host = this.hosts.get(name);
    if (host === undefined) {
      throw new EstabError('EINVAL', `no host "${name}" was declared; there are ${[...this.hosts.keys()].join(', ')}`);
    }
    return host;
  }

  /** Changes a host's wire from now on, each way: an outage is `{ loss: 1 }`. */
  change(name: string, options: WireOptions): void {
    this.host(name);
    const wire = this.wires.get(name)!;
    wire.change('a->b', options);
    wire.change('b->a', options);
  }

  /** Ends all hosts where they are: no FIN leaves. */
  close(): void {
    for (const host of this.hosts.values()) host.close();
    this.clock.close();
  }

  private add(name: string, declaration: HostDeclaration, options: NetworkOptions): void {
    checkHost(name, declaration);
    const { mtu = DEFAULT_MTU, observe, background = false } = options;
    const addresses = addressesOf(declaration);
    if (addresses.length === 0) throw new EstabError('EINVAL', `host "${name}" has no address; give it one`);
    const wire = new Wire(this.clock.world, declaration);
    if (observe !== undefined) wire.observe((event) => observe(name, event));
    wire.attach('b', (frame) => this.forward(frame));
    const settings = settingsOf(declaration);
    const host = new Host({ name, background, ...(settings === null ? {} : { settings }) });
    const link = new WireLink(this.clock, wire, { mtu, layer: 'ip', mac: null });
    const iface = host.attach(declaration.wrap?.(link) ?? link, {
      name: 'embedded0',
      addresses: addresses.map((address) => `${address}/${address.family === 4 ? 32 : 128}`),
    });
    host.stack.addRoute('0.0.0.0/0', null, iface);
    host.stack.addRoute('::/0', null, iface);
    this.hosts.set(name, host);
    this.wires.set(name, wire);
    for (const address of addresses) {
      if (this.owners.some((owner) => owner.address.equals(address))) {
        throw new EstabError('EINVAL', `${address} was declared for two hosts; give "${name}" another`);
      }
      this.owners.push({ address, wire });
    }
  }

  /** What came over one wire goes out by the wire of the host it is for; what is for nobody is lost. */
  private forward(frame: Uint8Array): void {
    const { packet } = this;
    if (parseIp(frame, 0, frame.length, packet) !== 0) return;
    const to = new IpAddress(packet.d0, packet.d1, packet.d2, packet.d3);
    this.owners.find((owner) => owner.address.equals(to))?.wire.send('b', frame);
  }
}
