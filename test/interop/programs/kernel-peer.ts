/**
 * The kernel's side of a half-close: listens for one connection, copies standard input to it and what comes to standard
 * output. The end of input closes its half and no more; it goes when both halves are closed. (nc does this as a client,
 * but as a listener it leaves with the other end's FIN.) Arguments: HOST PORT
 */
import { createServer } from 'node:net';

const [host = '', port = ''] = process.argv.slice(2);
const server = createServer({ allowHalfOpen: true }, (socket) => {
  server.close();
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
  socket.on('error', (error) => process.stderr.write(`${error.message}\n`));
});
server.listen(Number(port), host, () => process.stderr.write('listening\n'));
