import type { Rejection, RejectionKind } from "../plan.ts";

/** Names of the kinds, in the order in which they help: what could be changed first. */
export const headings: Readonly<Record<RejectionKind, string>> = {
  memory: "too little GPU memory",
  tight: "no room to spare",
  "host-memory": "too little host memory",
  software: "software",
  interconnect: "interconnect",
  price: "price",
  quota: "quota",
  "not-launchable": "cannot be launched",
  "no-price": "no price",
  "not-asked": "not asked for",
  dearer: "dearer",
  unknown: "not known",
};

const kinds = Object.keys(headings);
/** So many types of one reason are named, and so many reasons of one heading; the others are counted. */
const shownTypes = 6;
const shownReasons = 3;

function alike(rejections: readonly Rejection[]): readonly Rejection[][] {
  const groups = new Map<string, Rejection[]>();
  for (const rejection of rejections) {
    const group = groups.get(rejection.reason) ?? [];
    group.push(rejection);
    groups.set(rejection.reason, group);
  }
  return [...groups.values()];
}

function named({ instanceType, hourlyUsd }: Rejection): string {
  return hourlyUsd === undefined ? instanceType : `${instanceType} ($${hourlyUsd.toFixed(2)})`;
}

/** Each type once, by its first region: the cheapest, as they come by price. */
function types(group: readonly Rejection[]): readonly Rejection[] {
  return [...Map.groupBy(group, ({ instanceType }) => instanceType).values()].flatMap(
    ([first]) => first ?? [],
  );
}

function sentence(group: readonly Rejection[]): string {
  const each = types(group);
  const names = each.slice(0, shownTypes).map(named);
  const more = each.length - names.length;
  const rest = more > 0 ? ` and ${more} more` : "";
  return `${names.join(", ")}${rest}: ${group[0]?.reason ?? ""}`;
}

/**
 * What was not taken, by what it is about and then by the same reason, cheapest first: a line for each kind, such as
 * "too little GPU memory: g4dn.xlarge ($0.53): needs 16.7 GiB, and the GPU has 15.0 GiB, of which the engine takes 13.8".
 */
export function groupedReasons(rejected: readonly Rejection[]): readonly string[] {
  const byKind = Map.groupBy(rejected, ({ kind }) => kind);
  return [...byKind.entries()]
    .toSorted(([a], [b]) => kinds.indexOf(a) - kinds.indexOf(b))
    .map(([kind, all]) => {
      const groups = alike(all);
      const shown = groups.slice(0, shownReasons).map(sentence);
      const hidden = groups
        .slice(shownReasons)
        .reduce((sum, group) => sum + types(group).length, 0);
      const rest = hidden === 0 ? "" : `; and ${hidden} more`;
      return `${headings[kind]}: ${shown.join("; ")}${rest}`;
    });
}
