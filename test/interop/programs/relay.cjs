/** An unmodified program: takes connections at PORT and hands what comes on to HOST:TO, both ways. Prints `ready`. */
const net = require('node:net');
const [port, host, to] = process.argv.slice(2);
net
  .createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = net.connect({ host, port: Number(to), allowHalfOpen: true, noDelay: true });
    near.pipe(far);
    far.pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  })
  .listen({ port: Number(port), backlog: 511 }, () => process.stdout.write('ready\n'));
