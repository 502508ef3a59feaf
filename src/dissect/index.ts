/** `estab/dissect`: bytes to words. Depends on nothing but the capture formats; runs in browsers. */

export { hexAndText, hexLines } from './printer.ts';
export { TcpdumpFormatter, type TcpdumpOptions } from './tcpdump.ts';
