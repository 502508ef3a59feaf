/** Reading and writing numbers in a file's own byte order; both orders occur in one pcapng file. */

export function fileU16(data: Uint8Array, at: number, little: boolean): number {
  return little ? data[at] | (data[at + 1] << 8) : (data[at] << 8) | data[at + 1];
}

export function fileU32(data: Uint8Array, at: number, little: boolean): number {
  return little
    ? (data[at] | (data[at + 1] << 8) | (data[at + 2] << 16) | (data[at + 3] << 24)) >>> 0
    : ((data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3]) >>> 0;
}

/** Little-endian, the order this project writes. */
export function putU16(data: Uint8Array, at: number, value: number): void {
  data[at] = value;
  data[at + 1] = value >>> 8;
}

/** Little-endian, the order this project writes. */
export function putU32(data: Uint8Array, at: number, value: number): void {
  data[at] = value;
  data[at + 1] = value >>> 8;
  data[at + 2] = value >>> 16;
  data[at + 3] = value >>> 24;
}
