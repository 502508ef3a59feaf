/** mongodb's driver, against a stub of the server's wire: see mongo-stub.mjs. It makes its own sockets and takes none. */
import assert from 'node:assert/strict';
import { MongoClient } from 'mongodb';
import { body, hash, together } from '../data.mjs';
import { MongoStub } from '../mongo-stub.mjs';

export default async function run(stage, check) {
  const port = await stage.listen(new MongoStub().listener());
  const client = new MongoClient(`mongodb://${stage.host}:${port}/?directConnection=true`, {
    maxPoolSize: 5,
    heartbeatFrequencyMS: 500,
  });
  await client.connect();
  const database = client.db('estab');

  await check('5,000 documents inserted and found, batch by batch, every field', async () => {
    const items = database.collection('items');
    const documents = Array.from({ length: 5000 }, (_, i) => ({ _id: i, text: `item ${i}`, even: i % 2 === 0 }));
    for (let at = 0; at < 5000; at += 500) await items.insertMany(documents.slice(at, at + 500));
    assert.deepEqual(await items.find({}, { batchSize: 100 }).toArray(), documents);
    assert.equal((await items.find({ _id: { $gte: 4990 } }).toArray()).length, 10);
  });

  await check('three documents of 15 MB in one message, and back', async () => {
    const files = database.collection('files');
    const contents = [1, 2, 3].map((seed) => body(15_000_000, seed));
    await files.insertMany(contents.map((bytes, _id) => ({ _id, bytes })));
    for (const [_id, bytes] of contents.entries()) {
      const found = await files.findOne({ _id }, { promoteBuffers: true });
      assert.equal(hash(found.bytes), hash(bytes));
    }
  });

  await check('400 updates at once through a pool of 5 connections', async () => {
    const items = database.collection('items');
    await together(400, (i) => items.updateMany({ _id: i }, { $set: { text: `changed ${i}` } }));
    const changed = await items.find({}).limit(400).toArray();
    assert.deepEqual(
      changed.map(({ text }) => text),
      Array.from({ length: 400 }, (_, i) => `changed ${i}`),
    );
  });

  await check('a key twice is error 11000, an unknown command 59', async () => {
    await assert.rejects(database.collection('items').insertOne({ _id: 1 }), { code: 11000 });
    await assert.rejects(database.command({ nonsense: 1 }), { code: 59 });
  });

  await check('a connection that the server drops is an error, and the pool goes on', async () => {
    await assert.rejects(database.command({ dropConnection: 1 }), { name: /MongoNetworkError/ });
    assert.equal((await database.collection('items').findOne({ _id: 4999 })).text, 'item 4999');
  });
  await client.close();
}
