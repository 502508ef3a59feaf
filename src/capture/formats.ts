/**
 * What the capture formats share: link types (the registry of draft-ietf-opsawg-pcaplinktype), time, the record handed
 * out for a packet, and the report of what was wrong with a file.
 *
 * Time is a pair, whole seconds since 1970 and nanoseconds within the second: nanoseconds since 1970 do not fit the 53
 * bits of a JavaScript number, and a capture's times must come out as they went in.
 */

/** The link types this project reads and writes. */
export const LinkType = {
  NULL: 0,
  ETHERNET: 1,
  RAW_BSD: 12,
  RAW_OPENBSD: 14,
  RAW: 101,
  IEEE802_11: 105,
  LOOP: 108,
  LINUX_SLL: 113,
  IEEE802_11_RADIOTAP: 127,
  IPV4: 228,
  IPV6: 229,
  LINUX_SLL2: 276,
} as const;

const LINK_NAMES: Readonly<Record<number, string>> = {
  0: 'BSD loopback',
  1: 'Ethernet',
  12: 'raw IP',
  14: 'raw IP',
  101: 'raw IP',
  105: 'IEEE 802.11',
  108: 'OpenBSD loopback',
  113: 'Linux cooked',
  127: 'IEEE 802.11 with radiotap',
  228: 'raw IPv4',
  229: 'raw IPv6',
  276: 'Linux cooked v2',
};

/** A name for people: `Ethernet`, `link type 147` for one this project does not know. */
export function linkTypeName(linkType: number): string {
  return LINK_NAMES[linkType] ?? `link type ${linkType}`;
}

/** One interface of a section; a pcap file has exactly one. */
export interface CaptureInterface {
  readonly id: number;
  readonly linkType: number;
  /** Bytes kept of each packet; 0: no limit. */
  readonly snapLength: number;
  /** Ticks of the file's clock in a second: 1,000,000 for µs. */
  readonly ticksPerSecond: number;
  readonly name: string | null;
  readonly description: string | null;
  /** The filter the capture was made with, as text. */
  readonly filter: string | null;
}

/** What a section header says of where the file comes from. */
export interface CaptureSection {
  readonly format: 'pcap' | 'pcapng';
  readonly littleEndian: boolean;
  readonly version: string;
  readonly hardware: string | null;
  readonly operatingSystem: string | null;
  readonly application: string | null;
  readonly comment: string | null;
}

/** The type of secrets that are a TLS key log: "TLSK". */
export const TLS_KEY_LOG = 0x544c534b;

/** Decryption secrets kept in a pcapng file, of type {@link TLS_KEY_LOG} or another. */
export interface CaptureSecrets {
  readonly type: number;
  readonly data: Uint8Array;
}

/** Names for an address, from a name resolution block. */
export interface CaptureName {
  readonly address: Uint8Array;
  readonly names: readonly string[];
}

/** Why reading stopped: one line for people, and where in the (decompressed) file. */
export interface CaptureProblem {
  readonly message: string;
  readonly offset: number;
}

/**
 * One captured packet. The reader hands out the same object each time: its fields, and the bytes behind `data`, hold
 * during the call only.
 */
export class CaptureRecord {
  /** The frame number: 1 for the file's first packet. */
  frame = 0;
  /** Whole seconds since 1970. */
  seconds = 0;
  /** Nanoseconds within the second, 0 … 999,999,999. */
  nanoseconds = 0;
  linkType = 0;
  interfaceId = 0;
  /** The packet's bytes are data[offset] … data[offset + length - 1]. */
  data: Uint8Array = new Uint8Array(0);
  offset = 0;
  /** Bytes captured. */
  length = 0;
  /** Bytes the packet had on the wire. */
  originalLength = 0;
  /** 0 unknown, 1 inbound, 2 outbound. */
  direction = 0;
  comment: string | null = null;
}

/** What a reader tells its user; all but `packet` may be left out. */
export interface CaptureHandler {
  packet(record: CaptureRecord): void;
  section?(section: CaptureSection): void;
  interface?(iface: CaptureInterface): void;
  names?(names: readonly CaptureName[]): void;
  secrets?(secrets: CaptureSecrets): void;
}

/** A format's parser, fed with whatever is at hand. It owns nothing of a chunk after push returns. */
export interface FormatReader {
  /** Reads all whole records in data[from, to); returns how many bytes it used, or -1 once the file makes no sense. */
  consume(data: Uint8Array, from: number, to: number): number;
  /** Bytes it needs at least to go on (from the last unused byte): for growing the buffer once. */
  readonly wanted: number;
  readonly problem: CaptureProblem | null;
  /** Whether the format wants more although it has used every byte so far. */
  readonly unfinished: boolean;
  /** What is missing when the file ends with `left` unused bytes. */
  cut(left: number): CaptureProblem;
}
