/**
 * An unmodified TLS client of a server that sends lines back reversed. Arguments: HOST PORT AUTHORITIES GROUP COUNT.
 * Prints how many came back right, and the group of the key exchange.
 */
const tls = require('node:tls');
const { readFileSync } = require('node:fs');
const [host, port, authorities, group, count] = process.argv.slice(2);
const options = { host, port: Number(port), ca: readFileSync(authorities), servername: 'shop.test' };
const socket = tls.connect({ ...options, ecdhCurve: group }, () => {
  socket.write(Array.from({ length: Number(count) }, (_, i) => `line ${i} of many\n`).join(''));
});
let text = '';
let right = 0;
socket.setEncoding('utf8').on('data', (part) => {
  const lines = (text + part).split('\n');
  text = lines.pop();
  for (const line of lines) if (line === [...`line ${right} of many`].reverse().join('')) right++;
  if (right < Number(count)) return;
  const { type, name, size } = socket.getEphemeralKeyInfo();
  const named = { prime256v1: 'P-256' }[name] ?? name ?? `ffdhe${size}`;
  process.stdout.write(`${right} reversed, ${type === 'DH' ? `ffdhe${size}` : named}\n`);
  socket.end();
});
