/** A server and a client of https, version 1.2 and 1.3, on two hosts of a declared network. */
const https = require('node:https');

const [key, cert] = [process.env.KEY, process.env.CERT];
const server = https.createServer({ key, cert }, (request, response) => response.end(`${request.url} is secret`));
server.listen(443, async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const options = { minVersion: version, maxVersion: version, ca: cert, checkServerIdentity: () => undefined };
    const asked = { host: 'shop.example', path: `/over-${version}`, agent: false, ...options };
    await new Promise((resolve) => https.get(asked, (response) => response.resume().on('close', resolve)));
  }
  server.close();
});
