import type * as providerTypes from "@pulumi/pulumi/proto/provider_pb.js";

import type { DiffKind, PropertyDiff } from "../contract.ts";
import type { CheckFailure, Diff } from "./provider.ts";

/** What a plugin does not accept, as plain objects. */
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

const changes: readonly Diff["changes"][] = ["unknown", "none", "some"];

function changesOf(kind: number): Diff["changes"] {
  const known = changes[kind];
  if (known === undefined) throw new Error(`${kind} is not a kind of difference`);
  return known;
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
