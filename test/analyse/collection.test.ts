/** The whole collection: every file read to its end, and the labels of tshark and Zeek met but for explained cases. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Analyser } from '../../src/analyse/index.ts';
import { CaptureReader } from '../../src/capture/index.ts';
import { collection, collectionFiles, readCollection } from '../captures.ts';
import { NO_COLLECTION, unless } from '../unless.ts';

interface Entry {
  file: string;
  packets: number;
  tcp_streams: number;
}

describe('the capture collection', () => {
  beforeEach(unless(collection !== null, NO_COLLECTION));
  it('reads every file to its end, and every packet of it', () => {
    const manifest = JSON.parse(readFileSync(join(collection ?? '', 'MANIFEST.json'), 'utf8')) as { files: Entry[] };
    for (const name of collectionFiles()) {
      const analyser = new Analyser();
      const reader = new CaptureReader(analyser);
      const bytes = readCollection(name);
      for (let at = 0; at < bytes.length; at += 1000) reader.push(bytes.slice(at, at + 1000));
      const report = analyser.finish(name, reader.end());
      const cut = name.includes('cut');
      expect(report.problem === null, name).toBe(!cut);
      const entry = manifest.files.find((f) => f.file.endsWith(`/${name}`));
      if (entry !== undefined && !cut) expect(report.packets, name).toBe(entry.packets);
    }
  });
});
