/** The client and a server for it, on a network in virtual time. */
import { setImmediate as turn } from 'node:timers/promises';
import { connect, listen } from 'estab';
import { VirtualNetwork } from 'estab/testing';
import { Client } from './client.mjs';

export function stage({ seed = 1, ...wire } = {}) {
  const network = new VirtualNetwork({ seed, wire: { delayMs: 30, ...wire }, turn });
  const client = new Client({
    connect: () => connect(network.client, { hostname: network.server.address, port: 4000 }),
    sleep: network.sleep,
  });
  const server = { asked: [] };
  void answer(network, server);
  return { network, client, server };
}

/** Answers each line with the same in capitals. */
async function answer(network, server) {
  for await (const socket of listen(network.server, { port: 4000 })) void serve(socket, server);
}

async function serve(socket, server) {
  const shout = new TransformStream({
    transform(text, controller) {
      server.asked.push(text.trim());
      controller.enqueue(text.toUpperCase());
    },
  });
  const lines = socket.readable.pipeThrough(new TextDecoderStream()).pipeThrough(shout);
  await lines
    .pipeThrough(new TextEncoderStream())
    .pipeTo(socket.writable)
    .catch(() => {});
}
