import type { CrcAlgorithm } from "./checksums.mjs";

/** Memory whose CRCs are taken in place. */
export class CrcMemory {
  /** @param bytes that `view` may give out */
  constructor(bytes: number);
  view(offset: number, length: number): Buffer;
  /** Bytes from elsewhere are copied first. */
  update(algorithm: CrcAlgorithm, bytes: Uint8Array, before: bigint): bigint;
}
