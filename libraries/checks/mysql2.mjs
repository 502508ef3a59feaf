/** mysql2 against a real MariaDB. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import mysql from 'mysql2';
import { body, hash, together } from '../data.mjs';

export default async function run(stage, check) {
  const port = stage.server.ports.mariadb;
  const settings = {
    host: stage.host,
    port,
    user: 'estab',
    password: 'secret',
    database: 'estab',
    ...(stage.hooked ? { stream: () => stage.connect(port) } : {}),
  };
  const connect = async (options = {}) => {
    const connection = mysql.createConnection({ ...settings, ...options });
    await new Promise((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));
    return connection;
  };
  const ask = (connection, ...query) =>
    connection
      .promise()
      .query(...query)
      .then(([rows]) => rows);
  const client = await connect();

  await check('20,000 rows of one query, every value', async () => {
    const rows = await ask(
      client,
      "select seq as i, seq * 7 as seven, concat('row ', seq) as text from seq_1_to_20000",
    );
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      Array.from({ length: 20_000 }, (_, i) => ({ i: i + 1, seven: 7 * i + 7, text: `row ${i + 1}` })),
    );
  });

  await check('a blob of 40 MB, in packets of 16 MB each way', async () => {
    const bytes = body(40_000_000, 1);
    await ask(client, 'create temporary table large (bytes longblob)');
    await ask(client, 'insert into large values (?)', [bytes]);
    const [row] = await ask(client, 'select bytes from large');
    assert.equal(hash(row.bytes), hash(bytes));
  });

  await check('a prepared statement 2,000 times, all sent at once', async () => {
    const answers = await together(2000, (i) => client.promise().execute('select ? * 2 as n', [i]));
    assert.deepEqual(
      answers.map(([[{ n }]]) => Number(n)),
      Array.from({ length: 2000 }, (_, i) => 2 * i),
    );
  });

  await check('100,000 rows as a stream that is read slowly', async () => {
    const stream = client.query('select seq from seq_1_to_100000').stream({ highWaterMark: 10 });
    let sum = 0;
    for await (const { seq } of stream) {
      sum += seq;
      if (seq % 10_000 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(sum, (100_000 * 100_001) / 2);
  });

  await check('several results of one query; the protocol compressed', async () => {
    const several = await connect({ multipleStatements: true, compress: true });
    const text = 'compressible '.repeat(200_000);
    const [[one], [two]] = await ask(several, 'select ? as text; select 2 as n', [text]);
    assert.equal(one.text, text);
    assert.equal(two.n, 2);
    several.end();
  });

  await check('a pool of 8 connections, 400 transactions, none lost', async () => {
    const pool = mysql.createPool({ ...settings, connectionLimit: 8 }).promise();
    await pool.query('create or replace table account (sum int) engine=innodb');
    await pool.query('insert into account values (0)');
    await together(400, async (i) => {
      const one = await pool.getConnection();
      await one.beginTransaction();
      await one.query('update account set sum = sum + ?', [i]);
      await one.commit();
      one.release();
    });
    const [[{ sum }]] = await pool.query('select sum from account');
    assert.equal(sum, (399 * 400) / 2);
    await pool.end();
  });

  await check('TLS, the certificate verified, 8 MB through it', async () => {
    const secure = await connect({ ssl: { ca: stage.cert } });
    const [{ Value: cipher }] = await ask(secure, "show status like 'Ssl_cipher'");
    assert.match(cipher, /^(TLS_|ECDHE)/);
    const text = body(4_000_000, 2).toString('hex');
    const [row] = await ask(secure, 'select ? as text', [text]);
    assert.equal(row.text, text);
    secure.end();
  });

  await check('an error in SQL keeps the connection, a wrong password is refused', async () => {
    await assert.rejects(ask(client, 'select nothing from nowhere'), { errno: 1146, code: 'ER_NO_SUCH_TABLE' });
    assert.deepEqual({ ...(await ask(client, 'select 1 as one'))[0] }, { one: 1 });
    await assert.rejects(connect({ password: 'guess' }), { code: 'ER_ACCESS_DENIED_ERROR' });
  });

  await check('a connection that the server kills is reported', async () => {
    const victim = await connect();
    const failed = once(victim, 'error');
    await ask(client, `kill ${victim.threadId}`);
    assert.equal((await failed)[0].code, 'PROTOCOL_CONNECTION_LOST');
  });
  client.end();
}
