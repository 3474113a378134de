import type { MemoryPart, PartName } from "./memory-part.ts";

const mebi = 1024 ** 2;

/** Bytes as MiB. */
export function mebibytes(bytes: number): number {
  return bytes / mebi;
}

/** How far a figure may be off on either side, as a share of it. */
export interface Spread {
  readonly below: number;
  readonly above: number;
}

/** A part from its likely bytes and how far those may be off. */
export function partOf(name: PartName, bytes: number, spread: Spread, why: string): MemoryPart {
  const mib = mebibytes(bytes);
  const lowMiB = mib * (1 - spread.below);
  return { name, mib, lowMiB, highMiB: mib * (1 + spread.above), why };
}

/** Bytes as a person reads them. */
export function readable(bytes: number): string {
  const mib = mebibytes(bytes);
  return mib < 1024 ? `${mib.toFixed(0)} MiB` : `${(mib / 1024).toFixed(2)} GiB`;
}
