/** Which type is offered where, as parallel lists (the form of DescribeInstanceTypeOfferings in Pulumi). */
export interface TypeOfferings {
  readonly instanceTypes: readonly string[];
  readonly locations: readonly string[];
}

/** What zones are chosen for. */
export interface ZoneWish {
  readonly types: readonly string[];
  /** Only these, in this order; empty allows all. */
  readonly wished: readonly string[];
}

/** Offered zones that were wished for, as they were; else those that offer most types first, then by name. */
function inOrder(typesByZone: ReadonlyMap<string, ReadonlySet<string>>, wished: readonly string[]) {
  if (wished.length > 0) return wished.filter((zone) => typesByZone.has(zone));
  return [...typesByZone]
    .toSorted(([a, some], [b, others]) => others.size - some.size || a.localeCompare(b))
    .map(([zone]) => zone);
}

/**
 * The zones to make subnets in: those that were wished for and offer a type, else those that offer most of the types first,
 * then by name, so that the answer does not depend on the order AWS gives. Fewer zones than asked are repeated.
 *
 * @param offerings undefined where they may not be asked; the wish is then taken at its word
 * @returns exactly `count` zones; empty when no type is offered anywhere
 */
export function chooseZones(
  offerings: TypeOfferings | undefined,
  { types, wished }: ZoneWish,
  count: number,
): readonly string[] {
  const best = (
    offerings === undefined ? wished : inOrder(typesByZoneOf(offerings, types), wished)
  ).slice(0, count);
  if (best.length === 0) return [];
  return Array.from({ length: count }, (_, index) => best[index % best.length] ?? "");
}

function typesByZoneOf(offerings: TypeOfferings, types: readonly string[]) {
  const typesByZone = new Map<string, Set<string>>();
  for (const [index, zone] of offerings.locations.entries()) {
    const type = offerings.instanceTypes[index];
    if (type === undefined || !types.includes(type)) continue;
    typesByZone.set(zone, (typesByZone.get(zone) ?? new Set<string>()).add(type));
  }
  return typesByZone;
}
