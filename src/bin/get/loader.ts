/** Loads a page as a browser does: the document, what it asks for as it is being read, and what that asks for. */

import type { Connecting } from './connecting.ts';
import type { GetOptions } from './options.ts';
import { Origin } from './origin.ts';
import type { Recorder } from './recorder.ts';
import { type PageRecord, type RequestRecord, StepError, type Tell } from './records.ts';
import { imagesIn, PageReader, type Resource } from './resources.ts';
import { failureLine, httpLine } from './step-lines.ts';

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
    const reader = new PageReader(url, (resource) => {
      found.push(resource);
      const fetched = this.fetchResource(page, resource, url.href, under);
      under.push(fetched);
      if (resource.blocking) blocking.push(fetched);
    });
    const request = this.request(page, url, 'document', null);
    await this.run(request, (bytes) => {
      if (request.type.startsWith('text/html')) reader.push(bytes);
    });
    page.firstByteAt = request.firstByteAt;
    if (request.failure !== null) return page;
    reader.end();
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
    const request = this.request(page, resource.url, resource.kind, from);
    const parts: Uint8Array[] = [];
    await this.run(request, (bytes) => {
      if (resource.kind === 'style') parts.push(bytes.slice());
    });
    if (resource.kind !== 'style' || request.failure !== null) return;
    const wanted = new Set(page.requests.map(({ url }) => url));
    const images = imagesIn(Buffer.concat(parts).toString(), resource.url).filter(({ url }) => !wanted.has(url.href));
    for (const image of images) under.push(this.fetchResource(page, image, resource.url.href, under));
  }

  private request(page: PageRecord, url: URL, kind: RequestRecord['kind'], initiator: string | null): RequestRecord {
    const request: RequestRecord = {
      ...{ id: ++this.requests, url: url.href, kind, initiator, queuedAt: this.recorder.now(), connection: null },
      ...{
        reused: false,
        sentAt: null,
        firstByteAt: null,
        endedAt: null,
        status: null,
        type: '',
        octets: 0,
        failure: null,
      },
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
