/** A server and a client of one program, which may live on two hosts of a declared network. */
const { createServer } = require('node:http');

const server = createServer((request, response) => response.end(`${request.socket.remoteAddress} asked`));
server.listen(80, async () => {
  const before = performance.now();
  const text = await (await fetch('http://shop.example/', { headers: { connection: 'close' } })).text();
  const took = performance.now() - before;
  console.log(text, server.address().port, took > 60 ? 'slow' : 'fast');
  server.close();
});
