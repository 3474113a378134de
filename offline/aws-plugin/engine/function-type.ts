import type { Context } from "./resource-type.ts";
import { string, type Fields, type ValuesOf } from "./schema.ts";
import type { Properties } from "./wire.ts";

const shared = { region: string() };

/** One function that programs invoke. */
export interface FunctionDefinition<F extends Fields> {
  readonly token: string;
  readonly inputs: F;
  /** Results that are always secret. */
  readonly secrets?: readonly string[];
  readonly invoke: (context: Context, inputs: ValuesOf<F>) => Promise<Properties>;
}

/** A function whose inputs are known at run time only. */
export type FunctionType = FunctionDefinition<Fields>;

/** Checks a definition's types against its inputs, and completes those with what all functions take. */
export function functionType<const F extends Fields>(
  definition: FunctionDefinition<F>,
): FunctionType {
  const inputs = { ...shared, ...definition.inputs };
  return { ...(definition as unknown as FunctionType), inputs };
}
