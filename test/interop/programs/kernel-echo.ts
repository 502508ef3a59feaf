/** An echo server on the kernel's side. Arguments: HOST PORT */
import { createServer } from 'node:net';

const [host = '', port = ''] = process.argv.slice(2);
const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});
server.listen({ port: Number(port), host, backlog: 1024 }, () => process.stdout.write('listening\n'));
