/** A name server of ours behind a TUN. Arguments: TUN LOCAL/N PEER NAME ADDRESS…; prints `ready`. */
import { DnsServer } from '../../../src/dns/index.ts';
import { Host } from '../../../src/host/host.ts';
import { openTun } from '../../../src/link/tun.ts';
import { configureTun } from '../../../src/link/tun-configure.ts';

const [name = '', local = '', peer = '', zone = '', ...addresses] = process.argv.slice(2);
const link = await openTun({ name });
configureTun(name, [{ local, peer }]);
const host = new Host();
const iface = host.attach(link, { name, addresses: [local] });
host.stack.addRoute('0.0.0.0/0', null, iface);
const records = addresses.map((data) => ({ name: zone, type: data.includes(':') ? 'AAAA' : 'A', data }) as const);
new DnsServer(host, { zones: [{ origin: zone, records }] });
process.stdout.write('ready\n');
