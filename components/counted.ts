/** A count with its noun: "1 run", "2 runs", "3 addresses". */
export function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  const [, consonant] = /([^aeiou])y$/.exec(noun) ?? [];
  if (consonant !== undefined) return `${count} ${noun.slice(0, -1)}ies`;
  return `${count} ${noun}${/(s|x|ch|sh)$/.test(noun) ? "es" : "s"}`;
}
