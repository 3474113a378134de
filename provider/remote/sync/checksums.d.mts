/** The CRCs that S3 keeps of whole objects. */
export type CrcName = "CRC32" | "CRC32C" | "CRC64NVME";

export const algorithms: Readonly<
  Record<CrcName, { update(bytes: Uint8Array, before: bigint): bigint }>
>;
export function combine(name: CrcName, first: bigint, second: bigint, secondLength: number): bigint;
export function encode(name: CrcName, value: bigint): string;
