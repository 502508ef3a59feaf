/**
 * What a packet costs to read from and write to a TUN, through the link as the stack uses it.
 *
 *   npm run bench:tun -- [SECONDS]        as root, on Linux
 *
 * Makes a network namespace of its own. Reading: a program on the kernel's side floods the device with UDP until its queue
 * is full, and what is timed is how the link empties it. Writing: the link sends UDP packets to a port of the kernel's that nobody listens on, with
 * ICMP errors switched off; the kernel's whole receive path is inside the figure. CPU is this process's own.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { openTun } from '../src/link/tun.ts';
import { configureTun } from '../src/link/tun-configure.ts';
import { checksumSet } from '../src/wire/checksum.ts';

const LOCAL = '10.9.0.2';
const PEER = '10.9.0.1';
const SIZES = [60, 1500];
const QUEUE = 10_000;

function report(what: string, size: number, packets: number, wallMs: number, cpuMs: number): void {
  const ns = (ms: number): string => ((ms * 1e6) / Math.max(packets, 1)).toFixed(0).padStart(6);
  const gbit = ((packets * size * 8) / (wallMs * 1e6)).toFixed(2).padStart(6);
  process.stdout.write(`${what} ${String(size).padStart(5)} B ${ns(wallMs)} ns ${ns(cpuMs)} ns CPU ${gbit} Gbit/s\n`);
}

function udpPacket(size: number): Uint8Array {
  const packet = new Uint8Array(size);
  const udp = size - 20;
  packet.set([0x45, 0, size >> 8, size & 0xff, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 9, 0, 2, 10, 9, 0, 1]);
  checksumSet(0, packet, 0, 20, 10);
  packet.set([0x30, 0x39, 0, 9, udp >> 8, udp & 0xff, 0, 0], 20);
  return packet;
}

async function inside(seconds: number): Promise<void> {
  const link = await openTun({ name: 't0' });
  configureTun('t0', [{ local: `${LOCAL}/24`, peer: PEER }]);
  execFileSync('ip', ['link', 'set', 't0', 'txqueuelen', String(QUEUE)]);
  let packets = 0;
  let bursts = 0;
  link.start({ frame: () => packets++, burstEnd: () => bursts++, writable: () => {}, closed: () => {} });
  for (const size of SIZES) {
    const flood = spawn(process.execPath, [...process.execArgv, import.meta.filename, 'flood', String(size)]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    let wallMs = 0;
    let cpuMs = 0;
    let total = 0;
    let turns = 0;
    for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
      // Nothing is read while this thread sleeps: the queue fills up.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
      packets = 0;
      bursts = 0;
      const cpu = process.cpuUsage();
      const from = performance.now();
      while (packets < QUEUE / 2) await new Promise((resolve) => setImmediate(resolve));
      const used = process.cpuUsage(cpu);
      wallMs += performance.now() - from;
      cpuMs += (used.user + used.system) / 1000;
      total += packets;
      turns += bursts;
    }
    report('read ', size, total, wallMs, cpuMs);
    process.stdout.write(`        ${(total / turns).toFixed(1)} packets a burst\n`);
    flood.kill();
    await new Promise((resolve) => flood.once('close', resolve));
  }
  for (const size of SIZES) {
    const packet = udpPacket(size);
    const cpu = process.cpuUsage();
    const from = performance.now();
    let sent = 0;
    while (performance.now() - from < seconds * 1000) for (let i = 0; i < 1000; i++, sent++) link.send(packet);
    const used = process.cpuUsage(cpu);
    report('write', size, sent, performance.now() - from, (used.user + used.system) / 1000);
  }
  link.close();
}

/** The kernel's side of the reading: sends UDP to the stack's address as fast as it can. */
function flood(size: number): void {
  const socket = createSocket('udp4');
  const payload = Buffer.alloc(size - 28);
  socket.connect(9, LOCAL, () => {
    const more = (): void => {
      for (let i = 0; i < 64; i++) socket.send(payload);
      setImmediate(more);
    };
    more();
  });
}

const [first, second] = process.argv.slice(2);
if (first === 'inside') await inside(Number(second));
else if (first === 'flood') flood(Number(second));
else {
  const name = `estab-${process.pid}-bench`;
  execFileSync('ip', ['netns', 'add', name]);
  try {
    const args = ['netns', 'exec', name, process.execPath, ...process.execArgv, import.meta.filename, 'inside'];
    spawnSync('ip', [...args, first ?? '2'], { stdio: 'inherit' });
  } finally {
    execFileSync('ip', ['netns', 'delete', name]);
  }
}
