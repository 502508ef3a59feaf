/** What `estab serve` can be: the small services of RFC 862, 863 and 864, and a web server for files. */

import { Server as HttpServer } from 'node:http';
import sirv from 'sirv';
import type { Socket } from '../../net/socket.ts';

/** What is done with each accepted connection. */
export type Application = (socket: Socket) => void;

/** RFC 862: what comes goes back; the peer's end is answered with ours, once all is back. */
export const echo: Application = (socket) => {
  socket.pipe(socket);
};

/** RFC 863: what comes is read and forgotten. */
export const discard: Application = (socket) => {
  socket.resume();
  socket.on('end', () => socket.end());
};

const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
const LINE_LENGTH = 72;

/** RFC 864: lines of 72 printable characters, each line beginning one further, until the peer has had enough. */
export const chargen: Application = (socket) => {
  const cycle = Array.from({ length: 95 }, (_, i) => `${(PRINTABLE + PRINTABLE).slice(i, i + LINE_LENGTH)}\r\n`).join(
    '',
  );
  const block = Buffer.from(cycle, 'latin1');
  const fill = (): void => {
    while (socket.writable && socket.write(block)) {
      // The stream says when it has enough.
    }
  };
  socket.on('drain', fill);
  socket.resume();
  socket.on('end', () => socket.end());
  fill();
};

/** A web server for the files below `directory`: node's own HTTP over connections of ours. */
export function http(directory: string): Application {
  const files = sirv(directory, { dev: true });
  const server = new HttpServer((request, response) => {
    const notFound = (): void => {
      response.statusCode = 404;
      response.end('not found\n');
    };
    if (isHidden(request.url ?? '')) notFound();
    else files(request, response, notFound);
  });
  return (socket) => {
    server.emit('connection', socket);
  };
}

/** A path through a name that begins with a dot: `.git` and the like are nobody's business, and `..` leads out. */
function isHidden(url: string): boolean {
  try {
    return decodeURIComponent(url.split(/[?#]/, 1)[0])
      .split(/[/\\]/)
      .some((name) => name.startsWith('.'));
  } catch {
    return true;
  }
}
