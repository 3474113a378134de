interface VersionPart {
  readonly number: number;
  /** What follows the number: "rc1" of "0rc1". */
  readonly rest: string;
}

function partsOf(version: string): readonly VersionPart[] {
  return version.split(".").map((part) => {
    const digits = /^\d*/.exec(part)?.[0] ?? "";
    return { number: Number(digits), rest: part.slice(digits.length) };
  });
}

const missing: VersionPart = { number: 0, rest: "" };

function comparePart(a: VersionPart, b: VersionPart): number {
  if (a.number !== b.number) return a.number - b.number;
  if (a.rest === b.rest) return 0;
  // A release comes after its candidates.
  if (a.rest === "" || b.rest === "") return a.rest === "" ? 1 : -1;
  return a.rest < b.rest ? -1 : 1;
}

/**
 * Compares dotted numbers such as "580.126.09"; the missing parts of the shorter one count as 0. A release candidate comes
 * before its release ("3.12.0rc1", as Python names them).
 */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [partsOf(left), partsOf(right)];
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = comparePart(a[i] ?? missing, b[i] ?? missing);
    if (difference !== 0) return difference;
  }
  return 0;
}
