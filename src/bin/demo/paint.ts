/** Colour, width and wrapping of what goes to the terminal. Colour is never the only sign of anything. */

import { styleText } from 'node:util';

export type Tone = 'plain' | 'dim' | 'bold' | 'good' | 'bad' | 'needless' | 'title';

const STYLES = {
  dim: 'dim',
  bold: 'bold',
  good: ['bold', 'green'],
  bad: ['bold', 'red'],
  needless: 'yellow',
  title: ['bold', 'underline'],
} as const;

export type Paint = (tone: Tone, text: string) => string;

/** @param colour false for pipes: text comes out as it went in. */
export function painter(colour: boolean): Paint {
  if (!colour) return (_tone, text) => text;
  return (tone, text) => {
    if (tone === 'plain' || text === '') return text;
    const style = STYLES[tone];
    return styleText(typeof style === 'string' ? style : [...style], text, { validateStream: false });
  };
}

interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

type Environment = { readonly [name: string]: string | undefined };

/** Colour on a terminal only; NO_COLOR and TERM=dumb turn it off, FORCE_COLOR turns it on. */
export function wantsColour(stream: OutputStream, env: Environment): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== '') return true;
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** The terminal's width; COLUMNS for a pipe that wants one, else 100. */
export function outputWidth(stream: OutputStream, env: Environment): number {
  const asked = Number(env.COLUMNS);
  const width = stream.isTTY === true && stream.columns ? stream.columns : asked > 0 ? asked : 100;
  return Math.max(40, Math.min(Math.floor(width), 200));
}

/** Breaks plain text at spaces into lines of at most `width`. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** 12345 → `12,345`. */
export function thousands(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `one segment`, `3 segments`. */
export function count(value: number, noun: string, plural = `${noun}s`): string {
  return value === 1 ? `1 ${noun}` : `${thousands(value)} ${value === 1 ? noun : plural}`;
}

const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

/** Small numbers as words, for the middle of a sentence. */
export function inWords(value: number): string {
  return WORDS[value] ?? thousands(value);
}

/** Milliseconds as a reader would say them: `20 ms`, `1.2 s`, `2 min`, `2 h`. */
export function duration(ms: number): string {
  const trim = (value: number, digits: number): string => String(Number(value.toFixed(digits)));
  if (ms < 1000) return `${trim(ms, ms < 10 ? 2 : 1)} ms`;
  if (ms < 120_000) return `${trim(ms / 1000, ms < 10_000 ? 2 : 1)} s`;
  if (ms < 7_200_000) return `${trim(ms / 60_000, 1)} min`;
  return `${trim(ms / 3_600_000, 1)} h`;
}

/** A point on the run's clock: `610 ms`, `140.05 s`. */
export function moment(ms: number): string {
  return ms < 1000 ? duration(ms) : `${String(Number((ms / 1000).toFixed(3)))} s`;
}

/** `once`, `twice`, `three times`. */
export function times(value: number): string {
  return value === 1 ? 'once' : value === 2 ? 'twice' : `${inWords(value)} times`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
