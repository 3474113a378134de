// Small files that are fetched, and not under their own names yet: many go to the disk by one call.

import { mkdirSync, renameSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { syncFiles, syncPath } from "./folder.mjs";

/** They are put in place so many at a time, or after so long: the longer the disk took for it last, the later. */
const mostFiles = 4000;
const afterMs = { least: 900, most: 5000 };
const shareOfTime = 0.2;
/** Between so many renames other work of the thread comes to its turn. */
const renamesAtOnce = 100;

export class SmallFiles {
  #staging;
  #staged = [];
  #since = Date.now();
  #tookMs = 0;

  /** @param staging the folder where they lie as `INDEX.whole` */
  constructor(staging) {
    this.#staging = staging;
  }

  add(results) {
    if (this.#staged.length === 0) this.#since = Date.now();
    this.#staged.push(...results);
  }

  get due() {
    const wait = Math.min(afterMs.most, Math.max(afterMs.least, this.#tookMs / shareOfTime));
    return this.#staged.length >= mostFiles || Date.now() - this.#since > wait;
  }

  /** Those that wait, which from now on are the caller's to place. */
  take() {
    return this.#staged.splice(0);
  }

  /**
   * Puts files in place, and then the texts that speak of them, in three steps that a power cut may come between: all bytes
   * to the disk, the files' names to the disk, the texts' names.
   *
   * @param targetOf the place of a file, by its result
   * @param texts `{target, text, mode}`, the last of which is put in place last
   */
  async place(files, targetOf, texts) {
    const began = Date.now();
    const stagedPath = ({ index }) => `${this.#staging}/${index}.whole`;
    const temporary = (number) => join(this.#staging, `${number}.tmp`);
    for (const [number, { text, mode }] of texts.entries())
      await writeFile(temporary(number), text, { mode });
    const written = [...files.map(stagedPath), ...texts.map((_, number) => temporary(number))];
    await syncFiles(this.#staging, written);
    const folders = new Set();
    for (const [count, file] of files.entries()) {
      const target = targetOf(file);
      const folder = dirname(target);
      if (!folders.has(folder)) mkdirSync(folder, { recursive: true, mode: 0o750 });
      folders.add(folder);
      // A folder takes one rename at a time: asking for many at once costs more, and is no faster.
      renameSync(stagedPath(file), target);
      if (count % renamesAtOnce === renamesAtOnce - 1) await setImmediate();
    }
    await Promise.all([...folders].map(syncPath));
    for (const [number, { target }] of texts.entries()) {
      await rename(temporary(number), target);
      await syncPath(dirname(target));
    }
    this.#tookMs = Date.now() - began;
  }
}
