import type { ServingEngine } from "../plan.ts";
import { UserError } from "../user-error.ts";

/** What the engine makes of the weights while it loads them. */
export type LoadPrecision = "none" | "int8" | "int4" | "fp8";

/** What vLLM's `--quantization` is for each; undefined where it is left out. */
export const vllmQuantisation: Readonly<Record<LoadPrecision, string | undefined>> = {
  none: undefined,
  int8: undefined,
  int4: "bitsandbytes",
  fp8: "fp8",
};

/** The formats that each engine makes while it loads; files that hold one already need nothing. */
const made: Readonly<Record<ServingEngine, Readonly<Record<string, LoadPrecision>>>> = {
  // In-flight: https://docs.vllm.ai/en/latest/features/quantization/bnb/ and .../fp8/
  vllm: { int4: "int4", nf4: "int4", fp8: "fp8" },
  transformers: { int8: "int8", int4: "int4", nf4: "int4", "nf4-double": "int4" },
  diffusers: {},
  "llama.cpp": {},
};

/**
 * What an engine is to make of the files to get the precision that is asked for.
 *
 * @param native what the files hold
 * @throws UserError when the engine cannot make it
 */
export function loadPrecision(engine: ServingEngine, asked: string, native: string): LoadPrecision {
  if (asked === "auto" || asked === "native" || native.startsWith(asked)) return "none";
  const found = made[engine][asked];
  if (found !== undefined) return found;
  const formats = Object.keys(made[engine]);
  // What the one that serves files as they are has, no other engine reads.
  const able =
    formats.length === 0
      ? undefined
      : Object.entries(made).find(([, others]) => asked in others)?.[0];
  throw new UserError(
    `${engine} does not make ${asked} of ${native} weights while it loads them.`,
    {
      problems: [
        formats.length === 0
          ? `berth:precision: ${engine} serves files as they are`
          : `berth:precision: ${engine} makes ${formats.join(", ")}`,
      ],
      hint:
        able === undefined
          ? "Bring files that hold it, or set berth:precision to native."
          : `Set berth:engine to ${able}, or berth:precision to another.`,
    },
  );
}
