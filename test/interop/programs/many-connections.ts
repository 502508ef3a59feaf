/** The kernel's side of a crowd: opens connections to an echo server. Arguments: HOST PORT COUNT AT_ONCE */
import { connect } from 'node:net';
import { crowd } from './crowd.ts';

const [host = '', port = '', count = '', atOnce = ''] = process.argv.slice(2);
await crowd(() => connect({ host, port: Number(port), allowHalfOpen: true }), Number(count), Number(atOnce));
