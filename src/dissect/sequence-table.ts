/**
 * The first sequence numbers of each conversation, for relative numbers as tcpdump counts them: remembered at the first
 * segment with ACK, set anew by every SYN with ACK. The table is bounded: the oldest half is forgotten when it is full,
 * which only makes a conversation start counting again.
 */

const MAX_CONVERSATIONS = 1 << 18;

/** What is kept of a conversation, seen from its lower port (lower address where ports are equal). */
export class SequenceEntry {
  readonly a: Int32Array;
  readonly ports: number;
  next: SequenceEntry | null;
  seq = 0;
  ack = 0;

  constructor(words: Int32Array, ports: number, next: SequenceEntry | null) {
    this.a = words.slice();
    this.ports = ports;
    this.next = next;
  }
}

export class SequenceTable {
  /** Key of the conversation looked up: eight address words, IPv4 in the fourth and eighth. */
  readonly words = new Int32Array(8);
  private recent = new Map<number, SequenceEntry>();
  private older = new Map<number, SequenceEntry>();
  private count = 0;
  /** Whether the last find made a new entry. */
  created = false;

  /** The entry of the conversation `words` and `ports` (two 16-bit numbers), made when there is none. */
  find(ports: number): SequenceEntry {
    const { words } = this;
    let key = ports;
    for (let i = 0; i < 8; i++) key = Math.imul(key ^ words[i], 0x01000193) ^ (key >>> 15);
    const first = this.recent.get(key) ?? this.older.get(key) ?? null;
    for (let entry: SequenceEntry | null = first; entry !== null; entry = entry.next) {
      if (entry.ports === ports && same(entry.a, words)) {
        this.created = false;
        return entry;
      }
    }
    if (this.count >= MAX_CONVERSATIONS) {
      this.older = this.recent;
      this.recent = new Map();
      this.count = 0;
    }
    const made = new SequenceEntry(words, ports, this.recent.get(key) ?? null);
    this.recent.set(key, made);
    this.count++;
    this.created = true;
    return made;
  }
}

function same(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < 8; i++) if (a[i] !== b[i]) return false;
  return true;
}
