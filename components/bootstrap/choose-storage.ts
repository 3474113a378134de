import type { HostFacts } from "./facts.ts";

/** Where weights go on the host. */
export interface StorageChoice {
  /** Disks to make one file system of; none leaves the weights on the disk of the data folder. */
  readonly disks: readonly string[];
  /** The image's own file system of them, to put a folder on; undefined where there is none, or another choice is made. */
  readonly imageStorage?: string | undefined;
  readonly why: string;
}

function gib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 30)} GiB`;
}

/**
 * The instance's own NVMe disks carry the weights: they are many times faster than a gp3 volume (125 MB/s unless paid for).
 * Where the image has made a file system of them, as AWS's deep-learning images do, the weights get a folder on it. Any other
 * disk that carries something already is left alone.
 */
export function chooseStorage(facts: HostFacts): StorageChoice {
  if (facts.weightsMounted) return { disks: [], why: "a file system is mounted there already" };
  if (facts.instanceStores.length === 0)
    return { disks: [], why: "the instance has no disks of its own" };
  const { imageStorage } = facts;
  if (imageStorage !== undefined) {
    const { path, freeMiB } = imageStorage;
    const why = `the image's own file system of the instance's disks, at ${path}, with ${gib(freeMiB * 2 ** 20)} free`;
    return { disks: [], imageStorage: path, why };
  }
  const free = facts.instanceStores.filter(({ used }) => !used);
  if (free.length === 0)
    return { disks: [], why: "the instance's own disks are in use, by the image or by you" };
  const bytes = free.reduce((sum, disk) => sum + disk.bytes, 0);
  const shape = free.length === 1 ? "the instance's own disk" : `${free.length} disks striped`;
  return { disks: free.map(({ path }) => path), why: `${shape}, ${gib(bytes)}` };
}
