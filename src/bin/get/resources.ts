/** What a page or a style sheet asks for beside itself. */

import { Parser } from 'htmlparser2';
import type { RequestRecord } from './records.ts';

export interface Resource {
  readonly url: URL;
  readonly kind: Exclude<RequestRecord['kind'], 'document'>;
  /** The page's DOM is complete only when it has come: a script that is not async. */
  readonly blocking: boolean;
}

/** Of one page; what it names beyond that is left alone. */
const MOST_RESOURCES = 1000;

/** Reads HTML as it comes and hands over each resource when its tag has been read. */
export class PageReader {
  private readonly parser: Parser;
  private readonly decoder = new TextDecoder();
  private readonly seen = new Set<string>();

  constructor(base: URL, found: (resource: Resource) => void) {
    this.parser = new Parser({
      onopentag: (name, attributes) => {
        const resource = resourceOf(name, attributes, base);
        if (resource === null || this.seen.has(resource.url.href) || this.seen.size === MOST_RESOURCES) return;
        this.seen.add(resource.url.href);
        found(resource);
      },
    });
  }

  push(bytes: Uint8Array): void {
    this.parser.write(this.decoder.decode(bytes, { stream: true }));
  }

  end(): void {
    this.parser.end(this.decoder.decode());
  }
}

function resourceOf(name: string, attributes: Readonly<Record<string, string>>, base: URL): Resource | null {
  const { rel = '', href, src } = attributes;
  if (name === 'link' && href !== undefined && /\bstylesheet\b/i.test(rel)) return made(href, base, 'style', false);
  if (name === 'link' && href !== undefined && /\bicon\b/i.test(rel)) return made(href, base, 'image', false);
  if (name === 'script' && src !== undefined) return made(src, base, 'script', attributes.async === undefined);
  if (name === 'img' && src !== undefined) return made(src, base, 'image', false);
  return null;
}

function made(reference: string, base: URL, kind: Resource['kind'], blocking: boolean): Resource | null {
  if (!URL.canParse(reference, base.href)) return null;
  const url = new URL(reference, base);
  url.hash = '';
  return url.protocol === 'http:' || url.protocol === 'https:' ? { url, kind, blocking } : null;
}

/** The images a style sheet names; fonts and further sheets are not followed. */
export function imagesIn(style: string, base: URL): Resource[] {
  const found = new Map<string, Resource>();
  for (const [, reference] of style.matchAll(/url\(\s*["']?([^"')\s]+)["']?\s*\)/g)) {
    const resource = made(reference, base, 'image', false);
    if (resource !== null) found.set(resource.url.href, resource);
  }
  return [...found.values()];
}
