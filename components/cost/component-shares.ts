import type { Measurement, Usage } from "./usage.ts";

/** What stands for a model where nobody's copies were on what was paid. */
export const idleModel = "(idle)";

/** The copies of one model on instances that several share. */
export interface SharedCopies {
  readonly name: string;
  readonly modelId: string;
  /** Share of one instance that a copy reserves, by its GPUs: 0 to 1. */
  readonly shareOfInstance: number;
  /** Copies that there are now. */
  readonly copies: number;
  /** Copies hour by hour; none where nothing was reported. */
  readonly measured: readonly Measurement[];
}

/** What of an hour is left of the instances when the copies are taken off. */
function rest(hour: Measurement, taken: readonly Measurement[]): Measurement {
  const units = taken.reduce(
    (left, each) => (each.from === hour.from ? left - each.units : left),
    hour.units,
  );
  return { ...hour, units: Math.max(0, units) };
}

/**
 * The instances of an endpoint shared out among its models, by the GPUs that their copies reserve; what nobody reserved stays
 * under the endpoint's own name, as idle. Where no hours were reported, the copies of now count for all of the time. Pure.
 */
export function sharedOut(usage: Usage, components: readonly SharedCopies[]): readonly Usage[] {
  const { measured } = usage;
  const parts = components.map((component): Usage => {
    const { name, modelId: model, shareOfInstance, copies } = component;
    const hours = component.measured.map((each) => {
      return { ...each, units: each.units * shareOfInstance };
    });
    const units = copies * shareOfInstance;
    const own = measured === undefined ? undefined : hours;
    return { ...usage, resourceId: name, model, units, measured: own, variants: undefined };
  });
  const units = Math.max(0, usage.units - parts.reduce((sum, each) => sum + each.units, 0));
  const taken = parts.flatMap((each) => each.measured ?? []);
  const idle = measured?.map((hour) => rest(hour, taken));
  return [...parts, { ...usage, model: idleModel, units, measured: idle }];
}
