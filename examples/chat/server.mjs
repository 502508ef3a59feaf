/**
 * Serves the chat's page, and the switch that its tabs plug into: Ethernet frames in WebSocket messages. It knows nothing
 * of TCP, let alone of the chat.
 *
 *   node examples/chat/server.mjs [PORT]      then open http://localhost:8080/#1 and /#2
 */
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Switch } from 'estab/link/switch';
import { webSocketLink } from 'estab/link/websocket';
import sirv from 'sirv';
import { WebSocketServer } from 'ws';

const page = sirv(import.meta.dirname, { dev: true });
const library = sirv(fileURLToPath(new URL('.', import.meta.resolve('estab'))));
const web = createServer((request, response) => {
  if (!request.url.startsWith('/estab/')) return page(request, response);
  request.url = request.url.slice('/estab'.length);
  return library(request, response);
});

const network = new Switch();
const sockets = new WebSocketServer({ server: web });
sockets.on('connection', (socket) => network.plug(webSocketLink(socket)));

web.listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () => {
  console.log(`ready: http://localhost:${web.address().port}/#1`);
});
