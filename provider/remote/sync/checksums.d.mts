/** The CRCs that S3 keeps of whole objects. */
export type CrcName = "CRC32" | "CRC32C" | "CRC64NVME";

/** One of them; `update` goes on from `before`, which is 0n at the start. */
export interface CrcAlgorithm {
  readonly bits: number;
  readonly polynomial: bigint;
  update(bytes: Uint8Array, before: bigint): bigint;
}

export const algorithms: Readonly<Record<CrcName, CrcAlgorithm>>;
export function combine(name: CrcName, first: bigint, second: bigint, secondLength: number): bigint;
export function encode(name: CrcName, value: bigint): string;
