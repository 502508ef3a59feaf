/** nodemailer to smtp-server: both ends of SMTP. */
import assert from 'node:assert/strict';
import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { body, collect, hash, together } from '../data.mjs';

export default async function run(stage, check) {
  const { key, cert, host } = stage;
  const received = [];
  const server = new SMTPServer({
    key,
    cert,
    authOptional: true,
    disableReverseLookup: true,
    onAuth: ({ username, password }, _session, done) =>
      password === 'secret' ? done(null, { user: username }) : done(new Error('Wrong password')),
    onRcptTo: ({ address }, _session, done) =>
      address.startsWith('nobody') ? done(Object.assign(new Error('No such user'), { responseCode: 550 })) : done(),
    async onData(stream, session, done) {
      const text = await collect(stream);
      const to = session.envelope.rcptTo.map(({ address }) => address);
      received.push({ to, secure: session.secure, user: session.user, text });
      done(null, 'taken');
    },
  });
  // SMTPServer stands on a server of net's, which is what listens.
  const port = await stage.listen(server.server, { allowHalfOpen: true });
  const transport = (options = {}) => {
    const mailer = nodemailer.createTransport({ host, port, tls: { ca: cert, servername: 'localhost' }, ...options });
    if (!stage.hooked) return mailer;
    mailer.getSocket = (_options, callback) => {
      const connection = stage.connect(port);
      connection.once('connect', () => callback(null, { connection })).once('error', callback);
    };
    return mailer;
  };
  const mail = { from: 'a@estab.test', to: 'b@estab.test', subject: 'hello', text: 'one line\r\n.\r\n..two dots\r\n' };

  await check('a mail over STARTTLS, with a password, dots and all', async () => {
    const sent = await transport({ auth: { user: 'a', pass: 'secret' }, requireTLS: true }).sendMail(mail);
    assert.equal(sent.response, '250 taken');
    const { to, secure, user, text } = received.pop();
    assert.deepEqual({ to, secure, user }, { to: ['b@estab.test'], secure: true, user: 'a' });
    assert.match(text.toString(), /one line\r\n\.\r\n\.\.two dots\r\n/);
  });

  await check('an attachment of 8 MB, byte by byte the same', async () => {
    const attachments = [{ filename: 'big.bin', content: body(8_000_000, 5) }];
    await transport({ ignoreTLS: true }).sendMail({ ...mail, attachments });
    const { text } = received.pop();
    const part = /name=big\.bin[\s\S]*?\r\n\r\n([A-Za-z0-9+/=\r\n]+)\r\n--/.exec(text.toString('latin1'))[1];
    assert.equal(hash(Buffer.from(part, 'base64')), hash(body(8_000_000, 5)));
  });

  await check('60 mails through a pool of 3 connections', async () => {
    received.length = 0;
    const pool = transport({ pool: true, maxConnections: 3 });
    await together(60, (i) => pool.sendMail({ ...mail, subject: `number ${i}.` }));
    const numbers = received.map(({ text }) => Number(/number (\d+)\./.exec(text.toString())[1]));
    assert.deepEqual(
      numbers.sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, i) => i),
    );
    pool.close();
  });

  await check('a wrong password is 535, an unknown recipient 550, the others get theirs', async () => {
    const wrong = transport({ auth: { user: 'a', pass: 'guess' } });
    await assert.rejects(wrong.sendMail(mail), { responseCode: 535, code: 'EAUTH' });
    const sent = await transport().sendMail({ ...mail, to: ['nobody@estab.test', 'b@estab.test'] });
    assert.deepEqual(sent.rejected, ['nobody@estab.test']);
    assert.deepEqual(received.pop().to, ['b@estab.test']);
  });
}
