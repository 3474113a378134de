// Small files that are fetched, and not under their own names yet: many go to the disk by one call.

import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFileSystem, syncFolder } from "./folder.mjs";

/** They are put in place so many at a time, or after so long: the longer the disk took for it last, the later. */
const mostFiles = 2000;
const afterMs = { least: 1000, most: 5000 };
const shareOfTime = 0.1;

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

  /**
   * Their bytes go to the disk before their names do. Gives those that are in place, durably.
   *
   * @param targetOf the place of a file, by its result
   */
  async commit(targetOf) {
    const staged = this.#staged.splice(0);
    if (staged.length === 0) return staged;
    const began = Date.now();
    const stagedPath = ({ index }) => join(this.#staging, `${index}.whole`);
    await syncFileSystem(this.#staging, staged.map(stagedPath));
    const folders = new Set();
    for (const done of staged) {
      const target = targetOf(done);
      const folder = dirname(target);
      if (!folders.has(folder)) await mkdir(folder, { recursive: true, mode: 0o750 });
      folders.add(folder);
      await rename(stagedPath(done), target);
    }
    await Promise.all([...folders].map(syncFolder));
    this.#tookMs = Date.now() - began;
    return staged;
  }
}
