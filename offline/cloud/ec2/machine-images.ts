import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Machine } from "../machines/machine.ts";

/** The disks of the images that the account made of its machines. Any other image stands for the tier's own system. */
export class MachineImages {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What a machine that is launched from an image boots from; undefined for the tier's own system. */
  find(imageId: string): string | undefined {
    const path = join(this.#folder, imageId);
    return existsSync(path) ? path : undefined;
  }

  /** Keeps what a machine's disk holds now. */
  async write(imageId: string, machine: Machine): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = join(this.#folder, imageId);
    await machine.writeImage(`${path}.new`);
    await rename(`${path}.new`, path);
  }

  async remove(imageId: string): Promise<void> {
    await rm(join(this.#folder, imageId), { recursive: true, force: true });
  }
}
