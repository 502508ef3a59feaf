/**
 * A stub of a MongoDB server: its wire protocol (OP_MSG, and OP_QUERY for the greeting) over documents in memory, with the few
 * commands that the check uses. No Debian has MongoDB; what the driver says and hears on the wire is real all the same.
 */
import { EventEmitter } from 'node:events';
import net from 'node:net';
import { deserialize, Long, serialize } from 'bson';

const OP_REPLY = 1;
const OP_MSG = 2013;
const HEADER = 16;
const MAX_MESSAGE = 48_000_000;
/** Bytes as Buffers, numbers as numbers. */
const PLAIN = { promoteBuffers: true };

const HELLO = {
  ismaster: true,
  isWritablePrimary: true,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: MAX_MESSAGE,
  maxWriteBatchSize: 100_000,
  minWireVersion: 0,
  maxWireVersion: 21,
  readOnly: false,
};

class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class MongoStub extends EventEmitter {
  #collections = new Map();
  #cursors = new Map();
  #cursor = 0n;
  #connections = 0;

  /** A server of node:net's kind. */
  listener() {
    return net.createServer((socket) => this.#serve(socket));
  }

  #serve(socket) {
    const id = ++this.#connections;
    let parts = [];
    let held = 0;
    socket.on('error', () => {});
    socket.on('data', (part) => {
      parts.push(part);
      held += part.length;
      // Only what holds a whole message is put together: a long one comes in thousands of parts.
      if (held < 4 || held < first4(parts)) return;
      let bytes = Buffer.concat(parts);
      while (bytes.length >= 4 && bytes.length >= bytes.readInt32LE(0)) {
        const length = bytes.readInt32LE(0);
        this.#message(socket, id, bytes.subarray(0, length));
        bytes = bytes.subarray(length);
      }
      parts = [bytes];
      held = bytes.length;
    });
  }

  #message(socket, id, bytes) {
    const request = bytes.readInt32LE(4);
    const opcode = bytes.readInt32LE(12);
    const command = opcode === OP_MSG ? readMessage(bytes) : readQuery(bytes);
    const reply = this.#answer(command, id, socket);
    if (reply === null) return;
    socket.write(opcode === OP_MSG ? writeMessage(request, reply) : writeReply(request, reply));
  }

  #answer(command, connectionId, socket) {
    const [name] = Object.keys(command);
    try {
      if (name === 'dropConnection') return socket.destroy() && null;
      const run = COMMANDS[name];
      if (run === undefined) throw new Refusal(59, `no such command: '${name}'`);
      return { ...run(command, this), ...(run === COMMANDS.hello ? { connectionId } : {}), ok: 1 };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { ok: 0, errmsg: error.message, code: error.code };
    }
  }

  collection({ $db }, name) {
    const full = `${$db}.${name}`;
    if (!this.#collections.has(full)) this.#collections.set(full, []);
    return this.#collections.get(full);
  }

  /** The first batch of documents, and a cursor for the rest. */
  firstBatch(documents, size, ns) {
    const rest = documents.slice(size);
    const id = rest.length === 0 ? 0n : ++this.#cursor;
    if (id !== 0n) this.#cursors.set(id, rest);
    return { cursor: { id: Long.fromBigInt(id), ns, firstBatch: documents.slice(0, size) } };
  }

  nextBatch(id, size, ns) {
    const rest = this.#cursors.get(id);
    if (rest === undefined) throw new Refusal(43, `cursor id ${id} not found`);
    const nextBatch = rest.splice(0, size);
    if (rest.length === 0) this.#cursors.delete(id);
    return { cursor: { id: Long.fromBigInt(rest.length === 0 ? 0n : id), ns, nextBatch } };
  }
}

const COMMANDS = {
  hello: () => ({ ...HELLO, localTime: new Date() }),
  ping: () => ({}),
  endSessions: () => ({}),
  insert(command, stub) {
    const documents = stub.collection(command, command.insert);
    const writeErrors = [];
    for (const [index, document] of command.documents.entries()) {
      if (documents.some(({ _id }) => same(_id, document._id))) {
        writeErrors.push({ index, code: 11000, errmsg: 'E11000 duplicate key error' });
        break;
      }
      documents.push(document);
    }
    const n = command.documents.length - writeErrors.length;
    return writeErrors.length === 0 ? { n } : { n, writeErrors };
  },
  find(command, stub) {
    const found = stub.collection(command, command.find).filter((document) => matches(document, command.filter ?? {}));
    const size = Math.min(command.batchSize ?? 101, command.limit || Number.POSITIVE_INFINITY);
    return stub.firstBatch(
      command.limit ? found.slice(0, command.limit) : found,
      size,
      `${command.$db}.${command.find}`,
    );
  },
  getMore(command, stub) {
    const size = command.batchSize ?? 1000;
    return stub.nextBatch(BigInt(command.getMore), size, `${command.$db}.${command.collection}`);
  },
  update(command, stub) {
    let n = 0;
    for (const { q, u } of command.updates) {
      for (const document of stub.collection(command, command.update)) {
        if (!matches(document, q)) continue;
        Object.assign(document, u.$set);
        n++;
      }
    }
    return { n, nModified: n };
  },
  drop(command, stub) {
    stub.collection(command, command.drop).length = 0;
    return {};
  },
};
COMMANDS.isMaster = COMMANDS.hello;
COMMANDS.ismaster = COMMANDS.hello;

function same(a, b) {
  return a === b || (a?.equals?.(b) ?? false);
}

function matches(document, filter) {
  return Object.entries(filter).every(([name, value]) => {
    if (value !== null && typeof value === 'object' && '$gte' in value) return document[name] >= value.$gte;
    return same(document[name], value);
  });
}

function first4(parts) {
  return (parts[0].length >= 4 ? parts[0] : Buffer.concat(parts)).readInt32LE(0);
}

/** OP_MSG: one body, and sequences of documents that belong into it. */
function readMessage(bytes) {
  let command = {};
  const sequences = {};
  for (let at = HEADER + 4; at < bytes.length; ) {
    const kind = bytes[at];
    const length = bytes.readInt32LE(at + 1);
    const section = bytes.subarray(at + 1, at + 1 + length);
    at += 1 + length;
    if (kind === 0) command = deserialize(section, PLAIN);
    else {
      const nameEnd = section.indexOf(0, 4);
      const documents = [];
      for (let d = nameEnd + 1; d < section.length; d += section.readInt32LE(d)) {
        documents.push(deserialize(section.subarray(d, d + section.readInt32LE(d)), PLAIN));
      }
      sequences[section.toString('utf8', 4, nameEnd)] = documents;
    }
  }
  return { ...command, ...sequences };
}

/** OP_QUERY: flags, a name, two numbers, the command. */
function readQuery(bytes) {
  const nameEnd = bytes.indexOf(0, HEADER + 4);
  return deserialize(bytes.subarray(nameEnd + 9));
}

function header(length, request, opcode) {
  const bytes = Buffer.alloc(HEADER);
  bytes.writeInt32LE(HEADER + length, 0);
  bytes.writeInt32LE(request, 8);
  bytes.writeInt32LE(opcode, 12);
  return bytes;
}

function writeMessage(request, reply) {
  const content = serialize(reply);
  return Buffer.concat([header(5 + content.length, request, OP_MSG), Buffer.alloc(5), content]);
}

function writeReply(request, reply) {
  const content = serialize(reply);
  const front = Buffer.alloc(20);
  front.writeInt32LE(1, 16);
  return Buffer.concat([header(20 + content.length, request, OP_REPLY), front, content]);
}
