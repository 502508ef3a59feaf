/** What the servers of http, https and http2 do alike. */
import { body, collect, hash } from './data.mjs';

/** Bytes of an answer. */
export const LENGTH = 700_000;

/** Answers with a body of the seed in the URL, and with the hash of what it was sent. */
export async function answer(request, response) {
  const received = await collect(request);
  response.setHeader('received', hash(received));
  response.end(body(LENGTH, Number(request.url.slice(1))));
}
