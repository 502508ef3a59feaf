/** Loads a page as a browser does: the document, what it asks for as it is being read, and what that asks for. */

import type { Connecting } from './connecting.ts';
import type { GetOptions } from './options.ts';
import { Origin } from './origin.ts';
import type { Recorder } from './recorder.ts';
import { type PageRecord, type RequestRecord, StepError, type Tell } from './records.ts';
import { imagesIn, PageReader, type Resource } from './resources.ts';
import { failureLine, httpLine } from './step-lines.ts';

/** Octets of a style sheet that are looked through for images. */
const MOST_STYLE = 4 << 20;

export class Loader {
  readonly pages: PageRecord[] = [];
  private readonly options: GetOptions;
  private readonly recorder: Recorder;
  private readonly connecting: Connecting;
  private readonly tell: Tell;
  private readonly origins = new Map<string, Origin>();
  private requests = 0;

  constructor(options: GetOptions, recorder: Recorder, connecting: Connecting, tell: Tell) {
    this.options = options;
    this.recorder = recorder;
    this.connecting = connecting;
    this.tell = tell;
  }

  async load(url: URL): Promise<PageRecord> {
    const startedAt = this.recorder.now();
    const page: PageRecord = { url: url.href, startedAt, requests: [], firstByteAt: null, domAt: null, loadAt: null };
    this.pages.push(page);
    const under: Promise<void>[] = [];
    const blocking: Promise<void>[] = [];
    const found: Resource[] = [];
    let reader: PageReader | null = null;
    const request = await this.follow(page, url, { kind: 'document', initiator: null }, (bytes, answer) => {
      if (!answer.type.startsWith('text/html')) return;
      // What a page names is meant relative to where it came from at last.
      reader ??= new PageReader(new URL(answer.url), (resource) => {
        found.push(resource);
        const fetched = this.fetchResource(page, resource, answer.url, under);
        under.push(fetched);
        if (resource.blocking) blocking.push(fetched);
      });
      reader.push(bytes);
    });
    page.firstByteAt = request.firstByteAt;
    if (request.failure !== null) return page;
    (reader as PageReader | null)?.end();
    if (found.length > 0) this.tellResources(request, found);
    await Promise.all(blocking);
    page.domAt = this.recorder.now();
    // What is fetched may itself ask for more.
    for (let done = 0; done < under.length; ) {
      const all = under.length;
      await Promise.all(under);
      done = all;
    }
    page.loadAt = this.recorder.now();
    return page;
  }

  close(): void {
    for (const origin of this.origins.values()) origin.close();
  }

  private async fetchResource(
    page: PageRecord,
    resource: Resource,
    from: string,
    under: Promise<void>[],
  ): Promise<void> {
    const parts: Uint8Array[] = [];
    let kept = 0;
    const asked = { kind: resource.kind, initiator: from };
    const request = await this.follow(page, resource.url, asked, (bytes) => {
      if (resource.kind !== 'style' || kept > MOST_STYLE) return;
      parts.push(bytes.slice());
      kept += bytes.length;
    });
    if (resource.kind !== 'style' || request.failure !== null) return;
    const wanted = new Set(page.requests.map(({ url }) => url));
    const images = imagesIn(Buffer.concat(parts).toString(), new URL(request.url));
    for (const image of images) {
      if (!wanted.has(image.url.href)) under.push(this.fetchResource(page, image, request.url, under));
    }
  }

  /** Asks, and goes where the answers send it. The request that came to an end, or to a failure. */
  private async follow(
    page: PageRecord,
    url: URL,
    asked: Pick<RequestRecord, 'kind' | 'initiator'>,
    body: (bytes: Uint8Array, request: RequestRecord) => void,
  ): Promise<RequestRecord> {
    let request = this.request(page, url, asked, null);
    for (let followed = 0; ; followed++) {
      const current = request;
      await this.run(current, (bytes) => {
        if (current.location === null) body(bytes, current);
      });
      if (current.failure !== null || current.location === null) return current;
      const next = this.nextUrl(current, followed);
      if (next === null) return current;
      request = this.request(page, next, { kind: asked.kind, initiator: current.url }, current.id);
    }
  }

  /** Where a redirect leads; null, and a failure told, when nobody goes there. */
  private nextUrl(request: RequestRecord, followed: number): URL | null {
    const { url, location } = request;
    const target = URL.canParse(location!, url) ? new URL(location!, url) : null;
    if (target !== null) target.hash = '';
    let problem: [code: string, text: string] | null = null;
    if (target === null) problem = ['EBADLOCATION', `GET ${url}: it leads to "${location}", which is no URL`];
    else if (target.protocol !== 'http:' && target.protocol !== 'https:')
      problem = ['EBADLOCATION', `GET ${url}: it leads to ${target.href}, and that is not spoken here`];
    else if (followed >= this.options.redirects)
      problem = ['EREDIRECTS', `GET ${url}: it leads on to ${target.href} after ${followed} redirects; given up`];
    if (problem === null) return target;
    request.failure = new StepError('HTTP', request.endedAt ?? request.queuedAt, ...problem);
    this.tell(failureLine(request.failure, this.recorder.now()));
    return null;
  }

  private request(
    page: PageRecord,
    url: URL,
    { kind, initiator }: Pick<RequestRecord, 'kind' | 'initiator'>,
    redirectedFrom: number | null,
  ): RequestRecord {
    const request: RequestRecord = {
      id: ++this.requests,
      url: url.href,
      kind,
      initiator,
      redirectedFrom,
      queuedAt: this.recorder.now(),
      connection: null,
      reused: false,
      sentAt: null,
      firstByteAt: null,
      endedAt: null,
      status: null,
      type: '',
      octets: 0,
      announced: null,
      encoding: null,
      unpacked: 0,
      location: null,
      failure: null,
    };
    page.requests.push(request);
    return request;
  }

  private async run(request: RequestRecord, body: (bytes: Uint8Array) => void): Promise<void> {
    const url = new URL(request.url);
    let origin = this.origins.get(url.origin);
    if (origin === undefined) {
      origin = new Origin(url, this.options, this.recorder, this.connecting);
      this.origins.set(url.origin, origin);
    }
    try {
      await origin.get(request, body);
      this.tell(httpLine(request));
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      request.failure = error;
      this.tell(failureLine(error, this.recorder.now()));
    }
  }

  private tellResources(request: RequestRecord, found: readonly Resource[]): void {
    const counted = (['style', 'script', 'image'] as const)
      .map((kind) => [found.filter((resource) => resource.kind === kind).length, kind] as const)
      .filter(([count]) => count > 0)
      .map(([count, kind]) => `${count} ${kind}${count === 1 ? '' : 's'}`);
    const hosts = new Set(found.map(({ url }) => url.host)).size;
    const where = hosts === 1 ? '' : `, from ${hosts} hosts`;
    const text = `${found.length} resources: ${counted.join(', ')}${where}`;
    this.tell({ kind: 'HTML', from: request.endedAt ?? 0, text: [text], ms: null, tone: 'plain' });
  }
}
