import { createReadStream } from "node:fs";

/** One line of a file, without its end. */
export interface DataLine {
  /** From 1. */
  readonly number: number;
  /** Undefined when the line has more than {@link longestLineBytes}: it is counted, and not held. */
  readonly bytes: Buffer | undefined;
  /** Of the line, its end left out. */
  readonly length: number;
  /** It ended with CR and LF. */
  readonly crlf: boolean;
}

/** A longer line is no sample: at 2 bytes a token it would have 8 million tokens. */
export const longestLineBytes = 16 * 1024 * 1024;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Puts lines together over the borders of chunks, and lets go of one that grows too long. */
class LineBuilder {
  #parts: Buffer[] = [];
  #length = 0;
  #number = 0;
  #last = 0;

  get started(): boolean {
    return this.#length > 0;
  }

  add(part: Buffer): void {
    if (part.length === 0) return;
    this.#length += part.length;
    this.#last = part[part.length - 1] ?? 0;
    if (this.#length > longestLineBytes) this.#parts = [];
    else this.#parts.push(part);
  }

  end(): DataLine {
    this.#number += 1;
    const crlf = this.#last === carriageReturn;
    const length = this.#length - (crlf ? 1 : 0);
    const held = this.#length <= longestLineBytes;
    const bytes = held ? Buffer.concat(this.#parts).subarray(0, length) : undefined;
    this.#parts = [];
    this.#length = 0;
    this.#last = 0;
    return { number: this.#number, bytes, length, crlf };
  }
}

/**
 * The lines of a file, as many at once as one read brings. Memory is bounded by the longest line that is held, however large
 * the file is.
 */
export async function* readLines(path: string): AsyncGenerator<readonly DataLine[]> {
  const builder = new LineBuilder();
  const stream = createReadStream(path, { highWaterMark: 1024 * 1024 });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines: DataLine[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(lineFeed, start);
      if (end === -1) break;
      builder.add(chunk.subarray(start, end));
      lines.push(builder.end());
      start = end + 1;
    }
    // A copy: what is kept of a chunk would keep the whole of it.
    builder.add(Buffer.from(chunk.subarray(start)));
    yield lines;
  }
  if (builder.started) yield [builder.end()];
}
