/** What a short name of a source in the tables stands for. */
export interface Source {
  readonly name: string;
  /** Repository and file, or address. */
  readonly where: string;
  /** The day, month or year that it is of, as the source says it; some are of a release instead. */
  readonly asOf: string;
}

/**
 * Whether what a source says is more than a year old on that day. A month or a year alone counts to its last day, and what
 * names none, such as a release, is not called old.
 *
 * @param today YYYY-MM-DD
 */
export function isOlderThanAYear(asOf: string, today: string): boolean {
  const [year, month = "12", day = "31"] = /20\d\d(?:-\d\d){0,2}/g.exec(asOf)?.[0].split("-") ?? [];
  if (year === undefined) return false;
  return `${Number(year) + 1}-${month}-${day}` < today;
}
