import type { OpType, PropertyDiff, ResourceState } from "../contract.ts";

/** What a step does; the operation of its events is derived from it. */
export type StepKind =
  | "same"
  | "create"
  | "update"
  | "delete"
  | "replace"
  | "read"
  | "import"
  | "refresh"
  | "remove-pending-replace";

/** One thing that is done to one resource. */
export interface Step {
  readonly kind: StepKind;
  readonly op: OpType;
  readonly urn: string;
  /** The resource before the step. */
  readonly old?: ResourceState | undefined;
  /** The resource as the step wants it. */
  readonly next?: ResourceState | undefined;
  /** False for the parts of a replacement, which counts once. */
  readonly logical: boolean;
  readonly keys?: readonly string[] | undefined;
  readonly diffs?: readonly string[] | undefined;
  readonly detailedDiff?: Readonly<Record<string, PropertyDiff>> | undefined;
  readonly ignoreChanges?: readonly string[] | undefined;
  /** A creation that was not asked for by the targets: it is answered and not done. */
  readonly skipped?: boolean | undefined;
  /** A replacement that leaves the old resource to be deleted at the end. */
  readonly keepsOld?: boolean | undefined;
  /** A deletion that comes before its replacement: the old state stays, marked, until the new one is there. */
  readonly awaitsReplacement?: boolean | undefined;
}

/** What became of a step. */
export interface StepOutcome {
  /** The resource after the step; undefined when there is none. */
  readonly state: ResourceState | undefined;
  /** Set when the resource exists and is not as wanted. */
  readonly failure?: string | undefined;
}
