/** pg against a real PostgreSQL. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import copy from 'pg-copy-streams';
import { body, collect, hash, together } from '../data.mjs';

export default async function run(stage, check) {
  const settings = {
    host: stage.host,
    port: stage.server.ports.postgres,
    user: 'postgres',
    password: 'secret',
    database: 'postgres',
    ...(stage.hooked ? { stream: () => stage.socket() } : {}),
  };
  const connect = async (options = {}) => {
    const client = new pg.Client({ ...settings, ...options });
    await client.connect();
    return client;
  };
  const client = await connect();

  await check('20,000 rows of one query, every value', async () => {
    const { rows } = await client.query(
      "select i, i * 7 as seven, 'row ' || i as text from generate_series(1, 20000) i",
    );
    assert.deepEqual(
      rows,
      Array.from({ length: 20_000 }, (_, i) => ({ i: i + 1, seven: 7 * i + 7, text: `row ${i + 1}` })),
    );
  });

  await check('32 MB of bytes in a parameter and back', async () => {
    const bytes = body(32_000_000, 1);
    await client.query('create temporary table large (bytes bytea)');
    await client.query('insert into large values ($1)', [bytes]);
    const { rows } = await client.query('select bytes from large');
    assert.equal(hash(rows[0].bytes), hash(bytes));
  });

  await check('a prepared statement 2,000 times, all sent at once', async () => {
    const answers = await together(2000, (i) =>
      client.query({ name: 'twice', text: 'select $1::int * 2 as n', values: [i] }),
    );
    assert.deepEqual(
      answers.map(({ rows }) => rows[0].n),
      Array.from({ length: 2000 }, (_, i) => 2 * i),
    );
  });

  await check('COPY of 100,000 lines in and out', async () => {
    await client.query('create temporary table lines (n int, text text)');
    const all = Array.from({ length: 100_000 }, (_, i) => `${i}\tline ${i}\n`);
    await pipeline(Readable.from(all), client.query(copy.from('copy lines from stdin')));
    const out = await collect(client.query(copy.to('copy (select * from lines order by n) to stdout')));
    assert.equal(hash(out), hash(Buffer.from(all.join(''))));
  });

  await check('LISTEN and NOTIFY: 1,000 notices from one connection to another, in order', async () => {
    const speaker = await connect();
    const heard = [];
    const last = new Promise((resolve) => {
      client.on('notification', ({ payload }) => heard.push(Number(payload)) === 1000 && resolve());
    });
    await client.query('listen news');
    await together(1000, (i) => speaker.query("select pg_notify('news', $1)", [String(i)]));
    await last;
    assert.deepEqual(
      heard,
      Array.from({ length: 1000 }, (_, i) => i),
    );
    await speaker.end();
  });

  await check('a pool of 8 connections, 400 transactions, none lost', async () => {
    const pool = new pg.Pool({ ...settings, max: 8 });
    await pool.query('create table if not exists account (sum int)');
    await pool.query('truncate account');
    await pool.query('insert into account values (0)');
    await together(400, async (i) => {
      const one = await pool.connect();
      await one.query('begin');
      await one.query('update account set sum = sum + $1', [i]);
      await one.query('commit');
      one.release();
    });
    const { rows } = await pool.query('select sum from account');
    assert.equal(rows[0].sum, (399 * 400) / 2);
    await pool.end();
  });

  await check('TLS 1.3, the certificate verified, 8 MB through it', async () => {
    const secure = await connect({ ssl: { ca: stage.cert } });
    const { rows } = await secure.query('select ssl, version from pg_stat_ssl where pid = pg_backend_pid()');
    assert.deepEqual(rows[0], { ssl: true, version: 'TLSv1.3' });
    const text = body(4_000_000, 2).toString('hex');
    assert.equal((await secure.query('select $1::text as text', [text])).rows[0].text, text);
    await secure.end();
    await assert.rejects(connect({ ssl: true }), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  await check('an error in SQL keeps the connection, a wrong password is refused', async () => {
    await assert.rejects(client.query('select 1 / 0'), { code: '22012' });
    assert.equal((await client.query('select 1 as one')).rows[0].one, 1);
    await assert.rejects(connect({ password: 'guess' }), { code: '28P01' });
  });

  await check('a connection that the server ends is reported; its pid is gone', async () => {
    const victim = await connect();
    const { rows } = await victim.query('select pg_backend_pid() as pid');
    const failed = once(victim, 'error');
    victim.on('error', () => {});
    await client.query('select pg_terminate_backend($1)', [rows[0].pid]);
    assert.equal((await failed)[0].code, '57P01');
    await assert.rejects(victim.query('select 1'));
  });
  await client.end();
}
