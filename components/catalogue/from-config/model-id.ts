/** An identifier in the catalogue's form made of a folder's or file's name. */
export function modelId(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9.+-]+/g, "-")
    .replaceAll(/^[^a-z0-9]+|-+$/g, "");
  return plain === "" ? "unnamed-model" : plain;
}

/** Bytes as GiB with four decimals, as the catalogue writes sizes. */
export function roundGiB(bytes: number): number {
  return Math.max(0.0001, Math.round((bytes / 1024 ** 3) * 10_000) / 10_000);
}
