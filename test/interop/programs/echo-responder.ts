/**
 * The smallest thing behind a TUN: answers ping (ICMP and ICMPv6 echo) and nothing else. Opens the device, has the
 * interface configured, prints `ready NAME MTU`. Arguments: NAME LOCAL/N PEER [LOCAL/N PEER …] [--mtu N]
 *
 * `--forget` keeps no reference to the link and collects garbage all the time (needs --expose-gc), to see that the
 * device goes on without one. `--later` answers from a promise and a `nextTick`; `--throw` throws at the first packet.
 */
import type { Link } from '../../../src/link/link.ts';
import { openTun } from '../../../src/link/tun.ts';
import { configureTun, type TunAddress } from '../../../src/link/tun-configure.ts';
import { checksumAdjust } from '../../../src/wire/checksum.ts';

const args = process.argv.slice(2);
const flag = (name: string): boolean => args.includes(name);
const forget = flag('--forget');
const mtu = flag('--mtu') ? Number(args[args.indexOf('--mtu') + 1]) : undefined;
const [name = 't0', ...rest] = args.slice(0, args.findIndex((arg) => arg.startsWith('--')) >>> 0);

/** Turns an echo request into its reply where it stands; false for anything else. Only two fields change the sum. */
function answer(packet: Uint8Array): boolean {
  const v6 = packet[0] === 0x60;
  const icmp = v6 ? 40 : 20;
  const request = v6 ? 128 : 8;
  const protocol = v6 ? packet[6] : packet[9];
  if ((!v6 && packet[0] !== 0x45) || protocol !== (v6 ? 58 : 1) || packet[icmp] !== request) return false;
  const size = v6 ? 16 : 4;
  const source = v6 ? 8 : 12;
  const swapped = packet.slice(source, source + size);
  packet.copyWithin(source, source + size, source + 2 * size);
  packet.set(swapped, source + size);
  const reply = v6 ? 129 : 0;
  packet[icmp] = reply;
  const sum = ((packet[icmp + 2] ?? 0) << 8) | (packet[icmp + 3] ?? 0);
  const fresh = checksumAdjust(sum, request << 8, reply << 8);
  packet[icmp + 2] = fresh >>> 8;
  packet[icmp + 3] = fresh & 0xff;
  return true;
}

function serve(link: Link): void {
  link.start({
    frame: (frame) => {
      if (flag('--throw')) throw new Error('thrown in a handler');
      if (!answer(frame)) return;
      const reply = frame.slice();
      if (flag('--later')) void Promise.resolve().then(() => process.nextTick(() => link.send(reply)));
      else link.send(frame);
    },
    burstEnd: () => {},
    writable: () => {},
    closed: (error) => process.stdout.write(`closed ${error?.message ?? 'by us'}\n`),
  });
}

async function open(): Promise<void> {
  const link = await openTun({ name, ...(mtu === undefined ? {} : { mtu }) });
  const addresses: TunAddress[] = [];
  for (let i = 0; i + 1 < rest.length; i += 2) addresses.push({ local: rest[i] ?? '', peer: rest[i + 1] ?? '' });
  configureTun(link.name, addresses);
  serve(link);
  process.stdout.write(`ready ${link.name} ${link.mtu}\n`);
  if (!forget) process.once('SIGINT', () => link.close());
}

try {
  await open();
} catch (error) {
  process.stdout.write(`error ${(error as { code: string }).code} ${(error as Error).message}\n`);
}
if (forget) setInterval(() => globalThis.gc?.(), 5);
