/** Which type is offered where, as parallel lists (the form of DescribeInstanceTypeOfferings in Pulumi). */
export interface TypeOfferings {
  readonly instanceTypes: readonly string[];
  readonly locations: readonly string[];
}

/**
 * The zones to make subnets in: those that offer most of the ladder's types first, then by name, so that the answer
 * does not depend on the order AWS gives. Fewer zones than asked are repeated.
 *
 * @returns exactly `count` zones; empty when no type is offered anywhere
 */
export function chooseZones(
  offerings: TypeOfferings,
  ladder: readonly string[],
  count: number,
): readonly string[] {
  const typesByZone = new Map<string, Set<string>>();
  for (const [index, zone] of offerings.locations.entries()) {
    const type = offerings.instanceTypes[index];
    if (type === undefined || !ladder.includes(type)) continue;
    typesByZone.set(zone, (typesByZone.get(zone) ?? new Set<string>()).add(type));
  }
  const best = [...typesByZone]
    .toSorted(([a, some], [b, others]) => others.size - some.size || a.localeCompare(b))
    .map(([zone]) => zone)
    .slice(0, count);
  if (best.length === 0) return [];
  return Array.from({ length: count }, (_, index) => best[index % best.length] ?? "");
}
