import type { CustomTimeouts } from "../contract.ts";
import type { PropertyMap } from "./property-value.ts";

/** Another identity that a resource may have had: a URN, or what differs from its present one. */
export type Alias =
  | { readonly kind: "urn"; readonly urn: string }
  | {
      readonly kind: "spec";
      readonly name: string;
      readonly type: string;
      readonly stack: string;
      readonly project: string;
      /** "" for the present parent. */
      readonly parent: string;
      readonly noParent: boolean;
    };

/** A resource as the program wants it. */
export interface Goal {
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  readonly inputs: PropertyMap;
  /** "" for none. */
  readonly parent: string;
  /** Undefined takes the parent's. */
  readonly protect?: boolean | undefined;
  readonly dependencies: readonly string[];
  /** The provider's reference, "" for a component or a provider. */
  readonly provider: string;
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  /** Undefined leaves it to the provider. */
  readonly deleteBeforeReplace?: boolean | undefined;
  readonly ignoreChanges: readonly string[];
  readonly additionalSecretOutputs: readonly string[];
  readonly aliases: readonly Alias[];
  /** The id of an existing resource to take over, "" for none. */
  readonly importId: string;
  readonly customTimeouts: CustomTimeouts;
  readonly replaceOnChanges: readonly string[];
  /** Undefined takes the parent's. */
  readonly retainOnDelete?: boolean | undefined;
  /** "" takes the parent's. */
  readonly deletedWith: string;
  readonly hideDiffs: readonly string[];
  readonly sourcePosition: string;
}

/** The options that a child takes from its parent where it says nothing itself. */
export function inheritGoal(goal: Goal, parent: Goal | undefined): Goal {
  if (parent === undefined) return goal;
  return {
    ...goal,
    protect: goal.protect ?? parent.protect,
    retainOnDelete: goal.retainOnDelete ?? parent.retainOnDelete,
    deletedWith: goal.deletedWith === "" ? parent.deletedWith : goal.deletedWith,
  };
}

/** A goal with nothing but a type, a name and inputs, for what the engine registers itself. */
export function plainGoal(type: string, name: string, inputs: PropertyMap): Goal {
  return {
    type,
    name,
    custom: true,
    inputs,
    parent: "",
    dependencies: [],
    provider: "",
    propertyDependencies: {},
    ignoreChanges: [],
    additionalSecretOutputs: [],
    aliases: [],
    importId: "",
    customTimeouts: {},
    replaceOnChanges: [],
    deletedWith: "",
    hideDiffs: [],
    sourcePosition: "",
  };
}
