import { createWriteStream, type WriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import type { SampleSink } from "./check-dataset.ts";
import type { Sample } from "./sample.ts";

/** Where the two parts of a data set are written. */
export interface DatasetFiles {
  readonly train: string;
  readonly validation: string;
}

/** Writes samples as JSON lines beside their places, and puts them there only when all is well. */
export class DatasetWriter implements SampleSink {
  readonly #files: DatasetFiles;
  readonly #streams: Readonly<Record<keyof DatasetFiles, WriteStream>>;
  readonly #written = { train: 0, validation: 0 };

  constructor(files: DatasetFiles) {
    this.#files = files;
    this.#streams = {
      train: createWriteStream(`${files.train}.part`),
      validation: createWriteStream(`${files.validation}.part`),
    };
  }

  async write(part: keyof DatasetFiles, sample: Sample): Promise<void> {
    const stream = this.#streams[part];
    this.#written[part] += 1;
    if (!stream.write(`${JSON.stringify({ ...sample, schema: undefined })}\n`))
      await once(stream, "drain");
  }

  /** Ends the writing. @returns the written files by the places where they go */
  async close(): Promise<ReadonlyMap<string, string>> {
    await this.#end();
    const parts = (["train", "validation"] as const).filter((part) => this.#written[part] > 0);
    return new Map(parts.map((part) => [this.#files[part], `${this.#files[part]}.part`]));
  }

  /** Puts the files in their places; one without a sample is not there. */
  async keep(): Promise<void> {
    await this.#end();
    for (const part of ["train", "validation"] as const) {
      const place = this.#files[part];
      if (this.#written[part] > 0) await rename(`${place}.part`, place);
      else {
        await rm(`${place}.part`, { force: true });
        await rm(place, { force: true });
      }
    }
  }

  /** Leaves everything as it was. */
  async discard(): Promise<void> {
    await this.#end().catch(() => undefined);
    for (const place of Object.values(this.#files)) await rm(`${place}.part`, { force: true });
  }

  async #end(): Promise<void> {
    const streams = Object.values(this.#streams);
    for (const stream of streams) stream.end();
    await Promise.all(streams.map((stream) => finished(stream)));
  }
}
