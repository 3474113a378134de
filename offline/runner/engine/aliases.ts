import type { Alias, Goal } from "./goal.ts";
import { buildUrn, childUrn, parseUrn, stackType, urnName, urnType } from "./urn.ts";

/** Where URNs are made. */
export interface Where {
  readonly stack: string;
  readonly project: string;
}

/**
 * All URNs that a resource may have had: its own aliases, and those that follow from its parent's having been found
 * under an alias. `parentAlias` gives the URN under which a parent was found, if it was renamed.
 * https://www.pulumi.com/docs/concepts/options/aliases/
 */
export function aliasUrns(
  goal: Goal,
  where: Where,
  parentAlias: (urn: string) => string | undefined,
): readonly string[] {
  const urns = new Set(goal.aliases.map((alias) => aliasUrn(alias, goal, where, parentAlias)));
  const oldParent = goal.parent === "" ? undefined : parentAlias(goal.parent);
  if (oldParent !== undefined) {
    const own = [...urns];
    const parentName = urnName(goal.parent);
    urns.add(inheritedUrn(goal.type, goal.name, parentName, oldParent, where));
    for (const urn of own)
      urns.add(inheritedUrn(urnType(urn), urnName(urn), parentName, oldParent, where));
  }
  return [...urns];
}

function aliasUrn(
  alias: Alias,
  goal: Goal,
  where: Where,
  parentAlias: (urn: string) => string | undefined,
): string {
  if (alias.kind === "urn") return alias.urn;
  const parent = alias.parent === "" ? goal.parent : (parentAlias(alias.parent) ?? alias.parent);
  return childUrn(
    {
      stack: alias.stack === "" ? where.stack : alias.stack,
      project: alias.project === "" ? where.project : alias.project,
    },
    alias.noParent ? undefined : parent,
    alias.type === "" ? goal.type : alias.type,
    alias.name === "" ? goal.name : alias.name,
  );
}

/** A child named after its parent (`<parent>-part`) is taken to have been named after the parent's old name. */
function inheritedUrn(
  type: string,
  name: string,
  parentName: string,
  oldParent: string,
  where: Where,
): string {
  const old = parseUrn(oldParent);
  const oldName = name.startsWith(parentName) ? old.name + name.slice(parentName.length) : name;
  const qualifiedType = old.qualifiedType === stackType ? type : `${old.qualifiedType}$${type}`;
  return buildUrn({ ...where, qualifiedType, name: oldName });
}
