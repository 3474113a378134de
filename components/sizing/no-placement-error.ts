import { groupedReasons } from "../plan-report/grouped-reasons.ts";
import type { Rejection } from "../plan.ts";
import { UserError } from "../user-error.ts";

/** No instance type holds what was asked; it carries every candidate with its reason. */
export class NoPlacementError extends UserError {
  override readonly name = "NoPlacementError";
  readonly rejected: readonly Rejection[];

  constructor(what: string, rejected: readonly Rejection[], hint: string) {
    super(`No instance type holds ${what}.`, { hint, problems: groupedReasons(rejected) });
    this.rejected = rejected;
  }
}
