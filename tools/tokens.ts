/**
 * A small scanner for TypeScript sources, enough to find imports and the use of global names without being fooled by
 * comments, strings, template literals or regular expressions. It does not parse: what it gives is a list of tokens.
 */

export interface Token {
  kind: 'name' | 'string' | 'number' | 'regex' | 'punctuation';
  /** The source text; for a string, what stands between the quotes (escapes left as they are). */
  text: string;
  /** 1 for the first line. */
  line: number;
}

const NAME = /[\p{ID_Start}$_#][\p{ID_Continue}$]*/uy;
const NUMBER = /(?:0[xXbBoO][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)n?/y;
const SPACE = /\s+/y;
const PUNCTUATION = /\?\.(?!\d)|=>|\.\.\.|./sy;

/** After these words a `/` opens a regular expression; after any other name it divides. */
const BEFORE_REGEX = new Set(
  'return typeof case in of delete void throw new else do instanceof yield await extends default'.split(' '),
);

export function tokenize(source: string): Token[] {
  return new Scanner(source).scan();
}

class Scanner {
  private readonly source: string;
  private at = 0;
  private line = 1;
  private readonly tokens: Token[] = [];
  /** Brace depth at which each open template literal's `${` stands: its `}` goes on with the literal. */
  private readonly templates: number[] = [];
  private depth = 0;

  constructor(source: string) {
    this.source = source;
  }

  scan(): Token[] {
    while (this.at < this.source.length) this.step();
    return this.tokens;
  }

  private step(): void {
    const { source, at } = this;
    if (this.match(SPACE) !== null) return;
    const c = source.charAt(at);
    NAME.lastIndex = at;
    if (source.startsWith('//', at)) this.skipTo('\n', 0);
    else if (source.startsWith('/*', at)) this.skipTo('*/', 2);
    else if (c === "'" || c === '"') this.quoted(c);
    else if (c === '`') this.template();
    else if (c === '}' && this.templates.at(-1) === this.depth) {
      this.templates.pop();
      this.template();
    } else if (c === '/' && this.regexMayStand()) this.regex();
    else if (/\d/.test(c) || (c === '.' && /\d/.test(source.charAt(at + 1)))) this.take('number', NUMBER);
    else if (NAME.test(source)) this.take('name', NAME);
    else {
      if (c === '{') this.depth++;
      if (c === '}') this.depth--;
      this.take('punctuation', PUNCTUATION);
    }
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source);
    if (found === null) return null;
    this.advance(this.at + found[0].length);
    return found[0];
  }

  private advance(to: number): void {
    const end = Math.min(to, this.source.length);
    for (let i = this.at; i < end; i++) if (this.source.charCodeAt(i) === 10) this.line++;
    this.at = end;
  }

  private take(kind: Token['kind'], pattern: RegExp): void {
    const line = this.line;
    const text = this.match(pattern);
    if (text !== null) this.tokens.push({ kind, text, line });
  }

  private skipTo(end: string, extra: number): void {
    const found = this.source.indexOf(end, this.at + extra);
    this.advance(found < 0 ? this.source.length : found + end.length);
  }

  private quoted(quote: string): void {
    const { line } = this;
    const from = this.at + 1;
    let i = from;
    while (i < this.source.length && this.source[i] !== quote && this.source[i] !== '\n') {
      i += this.source[i] === '\\' ? 2 : 1;
    }
    this.tokens.push({ kind: 'string', text: this.source.slice(from, i), line });
    this.advance(i + 1);
  }

  /** A template literal's text, from a backtick or from the `}` that ends a substitution, to the next of either. */
  private template(): void {
    const { line } = this;
    const from = this.at + 1;
    let i = from;
    while (i < this.source.length && this.source[i] !== '`' && !this.source.startsWith('${', i)) {
      i += this.source[i] === '\\' ? 2 : 1;
    }
    this.tokens.push({ kind: 'string', text: this.source.slice(from, i), line });
    if (this.source.startsWith('${', i)) {
      this.templates.push(this.depth);
      this.advance(i + 2);
    } else this.advance(i + 1);
  }

  private regexMayStand(): boolean {
    const last = this.tokens.at(-1);
    if (last === undefined) return true;
    if (last.kind === 'name') return BEFORE_REGEX.has(last.text);
    return last.kind === 'punctuation' && !')]}'.includes(last.text);
  }

  private regex(): void {
    const { line } = this;
    let i = this.at + 1;
    let inClass = false;
    for (; i < this.source.length && this.source[i] !== '\n'; i++) {
      const c = this.source[i];
      if (c === '\\') i++;
      else if (c === '[') inClass = true;
      else if (c === ']') inClass = false;
      else if (c === '/' && !inClass) break;
    }
    this.tokens.push({ kind: 'regex', text: this.source.slice(this.at, i + 1), line });
    this.advance(i + 1);
  }
}
