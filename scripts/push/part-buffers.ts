import { algorithms, type CrcName } from "../../provider/remote/sync/checksums.mjs";
import { CrcMemory } from "../../provider/remote/sync/crc-kernel.mjs";

const mebibyte = 1024 * 1024;
/** Parts as large as this read back at full speed, and are few enough for any model. */
const usualPartBytes = 16 * mebibyte;
/** The most parts that an upload may have (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). */
const mostParts = 10_000;
/** All buffers together. */
const mostBufferBytes = 512 * mebibyte;

/** Bytes of each part of a file but its last. */
export function partBytesOf(size: number): number {
  return Math.max(usualPartBytes, Math.ceil(size / mostParts / mebibyte) * mebibyte);
}

/** A fixed number of buffers; whoever wants one when all are out waits in line. This is what bounds a push's memory. */
export class PartBuffers {
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  readonly #bytes: number;
  readonly #memory: CrcMemory;
  readonly #count: number;
  #used = 0;

  /**
   * @param lanes how many parts are under way at once; fewer where they would need more than 512 MiB
   * @param largestFile bytes
   */
  constructor(lanes: number, largestFile: number) {
    this.#bytes = Math.min(partBytesOf(largestFile), Math.max(largestFile, 1));
    this.#count = Math.max(2, Math.min(lanes, Math.floor(mostBufferBytes / this.#bytes)));
    // Pages that are never used take no memory.
    this.#memory = new CrcMemory(this.#count * this.#bytes);
  }

  take(): Promise<Buffer> {
    const free = this.#free.pop();
    if (free !== undefined) return Promise.resolve(free);
    if (this.#used < this.#count) {
      const buffer = this.#memory.view(this.#used * this.#bytes, this.#bytes);
      this.#used += 1;
      return Promise.resolve(buffer);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The CRC of bytes in a buffer, which goes on from that of what came before. */
  crc(name: CrcName, bytes: Buffer, before = 0n): bigint {
    return this.#memory.update(algorithms[name], bytes, before);
  }

  give(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }
}
