/** Octets without a short period, the same wherever they are made. */
export function pattern(length: number): Buffer {
  const body = Buffer.alloc(length);
  for (let i = 0; i < length; i++) body[i] = (i * 31 + (i >> 12)) & 255;
  return body;
}
