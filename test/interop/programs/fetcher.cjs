/**
 * An unmodified http client: gets URL COUNT times, AT_ONCE side by side over kept-alive connections, and prints how many
 * answers there were, the SHA-256 of every different body, and how many connections that took.
 */
const http = require('node:http');
const https = require('node:https');
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const [url, count, atOnce, authorities] = process.argv.slice(2);
const module_ = url.startsWith('https:') ? https : http;
const agent = new module_.Agent({ keepAlive: true, maxSockets: Number(atOnce) });
const options =
  authorities === undefined ? { agent } : { agent, ca: readFileSync(authorities), servername: 'shop.test' };
const hashes = new Set();
const sockets = new Set();
let left = Number(count);
let done = 0;
for (let i = 0; i < Number(count); i++) {
  module_.get(url, options, (response) => {
    const hash = createHash('sha256');
    sockets.add(response.socket);
    response.on('data', (part) => hash.update(part));
    response.on('end', () => {
      hashes.add(hash.digest('hex'));
      done++;
      if (--left > 0) return;
      agent.destroy();
      process.stdout.write(`${done} ${[...hashes].join(' ')} ${sockets.size}\n`);
    });
  });
}
