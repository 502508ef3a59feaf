/** `estab/dissect`: bytes to words. Depends on nothing but the capture formats; runs in browsers. */

export { type Field, fieldLines, fieldTree } from './fields.ts';
export { compileFilter, type Filter } from './filter.ts';
export type { FrameFacts } from './filter-fields.ts';
export { hexAndText, hexLines } from './printer.ts';
export { TcpdumpFormatter, type TcpdumpOptions } from './tcpdump.ts';
