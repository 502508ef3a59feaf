/**
 * node-postgres over a TCP stack in this process: queries, a transaction, notices that the server sends by itself. Only
 * `stream` is ours. As root on Linux, where the PostgreSQL of PGHOST (PGUSER, PGPASSWORD …) listens on the other end:
 *
 *   npm install pg
 *   PGHOST=10.9.0.1 PGUSER=postgres PGPASSWORD=secret node examples/postgres/report.mjs estab0 10.9.0.2/24
 */
import { once } from 'node:events';
import { Host } from 'estab';
import { openTun } from 'estab/link/tun';
import { configureTun, defaultPeer } from 'estab/link/tun-configure';
import { createNet } from 'estab/net';
import pg from 'pg';

const [name = 'estab0', address = '10.9.0.2/24'] = process.argv.slice(2);
const cable = await openTun({ name });
configureTun(name, [{ local: address, peer: defaultPeer(address) }]);
const host = new Host();
host.attach(cable, { name, addresses: [address] });
const net = createNet(host);

const database = new pg.Client({ stream: () => new net.Socket() });
await database.connect();

await database.query('create temporary table harvest (fruit text, kilos int)');
await database.query('begin');
for (const [fruit, kilos] of [
  ['apples', 120],
  ['pears', 45],
  ['plums', 80],
]) {
  await database.query('insert into harvest values ($1, $2)', [fruit, kilos]);
}
await database.query('commit');
const { rows } = await database.query('select fruit, kilos from harvest where kilos > $1 order by kilos desc', [50]);
for (const { fruit, kilos } of rows) console.log(`${fruit}: ${kilos} kg`);

await database.query('listen market');
const heard = once(database, 'notification');
await database.query("notify market, 'sold out'");
console.log(`market: ${(await heard)[0].payload}`);

const { state, local, peer, tcp } = host.stack.connections().find((row) => row.tcp !== null);
console.log(`${state} ${local} → ${peer}, round trip ${tcp.srttMs.toFixed(1)} ms`);
await database.end();
host.close();
