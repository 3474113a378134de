/** Kinds of what can be wrong, in the order of the report. */
export const problemKinds = {
  encoding: { severity: "error", title: "not readable as text" },
  json: { severity: "error", title: "broken JSON" },
  schema: { severity: "error", title: "no sample that the trainer knows" },
  mixed: { severity: "error", title: "written otherwise than the first sample" },
  "long-line": { severity: "error", title: "too long a line to be read" },
  "too-few": { severity: "error", title: "no samples" },
  empty: { severity: "warning", title: "empty, left out" },
  "too-long": { severity: "warning", title: "longer than a sequence, so its end is not learnt" },
  duplicate: { severity: "warning", title: "the same as an earlier sample" },
  "near-duplicate": { severity: "warning", title: "nearly the same as an earlier sample" },
  "not-compared": { severity: "warning", title: "not all samples were compared" },
  bom: { severity: "warning", title: "begins with a byte order mark, left out" },
  crlf: { severity: "warning", title: "ends lines with CR and LF, written as LF" },
  "personal-data": { severity: "warning", title: "personal data" },
  "small-data": { severity: "warning", title: "few samples" },
} as const;

/** What can be wrong with a line, or with the file. */
export type ProblemKind = keyof typeof problemKinds;

/** One thing that is wrong, with its place. */
export interface LineProblem {
  /** Undefined for one of the whole file. */
  readonly line: number | undefined;
  readonly reason: string;
}

/** All problems of a kind: how many there are, and the first of them. */
export interface ProblemGroup {
  readonly kind: ProblemKind;
  readonly severity: "error" | "warning";
  readonly title: string;
  readonly count: number;
  readonly first: readonly LineProblem[];
}

/** Counts every problem, and keeps the first few of each kind. */
export class ProblemList {
  readonly #groups = new Map<ProblemKind, { count: number; first: LineProblem[] }>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(kind: ProblemKind, line: number | undefined, reason: string): void {
    const group = this.#groups.get(kind) ?? { count: 0, first: [] };
    group.count += 1;
    if (group.first.length < this.#limit) group.first.push({ line, reason });
    this.#groups.set(kind, group);
  }

  groups(): readonly ProblemGroup[] {
    return (Object.keys(problemKinds) as ProblemKind[]).flatMap((kind) => {
      const group = this.#groups.get(kind);
      return group === undefined ? [] : [{ kind, ...problemKinds[kind], ...group }];
    });
  }
}
