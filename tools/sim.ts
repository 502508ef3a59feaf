/**
 * Plays simulated exchanges, one a seed, and stops at nothing: each failing seed is printed with the command that
 * replays it, and its capture is written.
 *
 *   npm run sim -- --seeds 1000 [--from 0] [--pcap FILE]
 *
 * With --pcap the capture of the (last) seed is written whether it fails or not.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PcapngWriter } from '../src/capture/pcapng-writer.ts';
import { playExchange } from '../src/sim/exchange.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    from: { type: 'string', default: '0' },
    pcap: { type: 'string' },
  },
});
const first = wholeNumber('--from', values.from);
const count = wholeNumber('--seeds', values.seeds);
/** A report of progress every so often. */
const PROGRESS_MS = 10_000;

let failed = 0;
let octets = 0;
let connections = 0;
let events = 0;
const start = performance.now();
let told = start;
for (let seed = first; seed < first + count; seed++) {
  const report = playExchange(seed);
  octets += report.octets;
  connections += report.connections;
  events += report.events;
  if (report.failure !== null) {
    failed++;
    mkdirSync('out', { recursive: true });
    const file = `out/sim-${seed}.pcapng`;
    writeFileSync(file, captureOf(seed));
    console.log(`seed ${seed} failed ${report.failure}`);
    console.log(`  faults: ${report.faults}`);
    console.log(`  replay: npm run sim -- --seeds 1 --from ${seed}     capture: ${file}`);
  }
  if (performance.now() - told > PROGRESS_MS) {
    told = performance.now();
    console.log(`… ${seed - first + 1} of ${count} seeds, ${failed} failed`);
  }
}
if (values.pcap !== undefined) writeFileSync(values.pcap, captureOf(first + count - 1));
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(
  `${count} seeds from ${first}: ${count - failed} passed, ${failed} failed; ${connections} connections, ` +
    `${(octets / 1e6).toFixed(1)} MB delivered, ${events} events, ${seconds} s`,
);
process.exitCode = failed === 0 ? 0 : 1;

/** The seed once more, this time written down: the same run, byte for byte. */
function captureOf(seed: number): Uint8Array {
  const parts: Uint8Array[] = [];
  playExchange(seed, new PcapngWriter((bytes) => parts.push(bytes.slice())));
  return Buffer.concat(parts);
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  console.error(`sim: ${option} ${text}: give a whole number, 0 or more`);
  process.exit(2);
}
