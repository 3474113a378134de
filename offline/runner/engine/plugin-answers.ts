import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import type * as providerTypes from "@pulumi/pulumi/proto/provider_pb.js";

import type { DiffKind, PropertyDiff } from "../contract.ts";
import type { CheckFailure, Diff } from "./provider.ts";

/** A plugin's answer to a check as plain objects. */
export function failuresFromList(failures: readonly providerTypes.CheckFailure[]): CheckFailure[] {
  return failures.map((failure) => ({
    property: failure.getProperty(),
    reason: failure.getReason(),
  }));
}

/** A plugin's answer to a diff as a plain object; an unknown kind of change is an error. */
export function diffFromResponse(response: providerTypes.DiffResponse): Diff {
  return {
    changes: changesOf(response.getChanges()),
    replaceKeys: response.getReplacesList(),
    changedKeys: response.getDiffsList(),
    detailedDiff: response.getHasdetaileddiff() ? detailedDiffOf(response) : undefined,
    deleteBeforeReplace: response.getDeletebeforereplace(),
  };
}

function changesOf(changes: number): Diff["changes"] {
  const kinds = providerPb.DiffResponse.DiffChanges;
  if (changes === kinds.DIFF_UNKNOWN) return "unknown";
  if (changes === kinds.DIFF_NONE) return "none";
  if (changes === kinds.DIFF_SOME) return "some";
  throw new Error(`${changes} is not a kind of difference`);
}

const diffKinds: readonly DiffKind[] = [
  "add",
  "add-replace",
  "delete",
  "delete-replace",
  "update",
  "update-replace",
];

function detailedDiffOf(response: providerTypes.DiffResponse): Record<string, PropertyDiff> {
  const detailed: Record<string, PropertyDiff> = {};
  response.getDetaileddiffMap().forEach((diff, path) => {
    const diffKind = diffKinds[diff.getKind()];
    if (diffKind === undefined)
      throw new Error(`${diff.getKind()} is not a kind of property difference`);
    detailed[path] = { diffKind, inputDiff: diff.getInputdiff() };
  });
  return detailed;
}
