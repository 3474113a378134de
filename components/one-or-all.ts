/** A policy takes one or a list; one is read more easily. */
export function oneOrAll(entries: readonly string[]): string | readonly string[] {
  const all = [...new Set(entries)];
  const [first = ""] = all;
  return all.length === 1 ? first : all;
}
