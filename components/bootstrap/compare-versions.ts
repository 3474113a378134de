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

/**
 * Compares dotted numbers such as "580.126.09"; the missing parts of the shorter one count as 0. A release candidate comes
 * before its release ("3.12.0rc1", as Python names them).
 */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [partsOf(left), partsOf(right)];
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i]?.number ?? 0) - (b[i]?.number ?? 0);
    if (difference !== 0) return difference;
    const [rest, other] = [a[i]?.rest ?? "", b[i]?.rest ?? ""];
    if (rest === other) continue;
    if (rest === "" || other === "") return rest === "" ? 1 : -1;
    return rest < other ? -1 : 1;
  }
  return 0;
}
