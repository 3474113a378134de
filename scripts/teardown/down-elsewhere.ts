import { defaultRegions, otherRegions } from "../../components/teardown/sweep-regions.ts";
import type { AccountScope } from "../adapters/account-scope.ts";
import { askElsewhere, inRegion, type Elsewhere } from "../adapters/receipt/receipt-elsewhere.ts";
import { removeByTag, type Removal, type RemovalPatience } from "../adapters/remove-by-tag.ts";
import type { StackConfig } from "../adapters/stack-file.ts";
import type { StackState } from "../adapters/stack-state.ts";

/** Which regions a stack itself names: those that it has swept, and those of what its state knows. */
export function namedRegions(
  config: StackConfig | undefined,
  state: StackState | undefined,
  own: string,
): readonly string[] {
  const given = config?.["berth:sweepRegions"];
  const words = typeof given === "string" ? given.split(/[[\]",\s]+/) : [given].flat().map(String);
  const known = (state?.things ?? []).flatMap(({ outputs }) => outputs["region"] ?? []);
  const asked = [...words, ...known.map(String)];
  const regions = asked.filter(
    (word) => word === defaultRegions || /^[a-z]{2}(-[a-z]+)+-\d$/.test(word),
  );
  return otherRegions(regions, own);
}

/** What other regions held of the runs, and what became of it. */
export interface RemovedElsewhere extends Pick<Elsewhere, "regions" | "closed" | "unanswered"> {
  readonly removals: readonly Removal[];
}

/** Removes by tag what other regions hold of the runs; where nothing is, nothing is called but the questions. */
export async function removeElsewhere(
  scope: AccountScope,
  runIds: readonly string[],
  { regions: named, patience }: { regions: readonly string[]; patience: RemovalPatience },
): Promise<RemovedElsewhere> {
  const removals: Removal[] = [];
  const unanswered: Elsewhere["unanswered"][number][] = [];
  let regions: readonly string[] = [];
  let closed: readonly string[] = [];
  for (const runId of runIds) {
    const run = { ...scope, runId };
    const found = await askElsewhere(run, named);
    ({ regions, closed } = found);
    unanswered.push(...found.unanswered);
    for (const region of new Set(found.left.map((each) => each.region))) {
      removals.push(await removeByTag(inRegion(run, region), patience));
    }
  }
  return { regions, closed, removals, unanswered };
}
