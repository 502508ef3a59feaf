/**
 * The kernel's side of an abort: connects, sends a line, resets when it is answered. Prints what it meets: the other end
 * may be quicker. Arguments: HOST PORT
 */
import { connect } from 'node:net';

const [host = '', port = ''] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) });
socket.on('connect', () => socket.write('hello'));
socket.on('data', () => socket.resetAndDestroy());
socket.on('error', (error) => process.stdout.write(`error ${error.message}\n`));
socket.on('close', () => process.stdout.write('closed\n'));
