import { gpusOf, type MemoryDemand, type MemoryNeed } from "./memory-part.ts";

/** Whether one GPU holds what is asked. */
export interface Verdict {
  /** It starts; a training runs to its end. */
  readonly fits: boolean;
  /** It holds the asked context and concurrency, at the upper end of the range. */
  readonly comfortable: boolean;
  /** One sentence: what is needed and what there is. */
  readonly reason: string;
  /** Likely need over what can be used of the GPU; above 1 it does not fit. */
  readonly utilisation: number;
}

function gib(mebibytes: number): string {
  return (mebibytes / 1024).toFixed(1);
}

/** Whether one GPU with so much usable memory, MiB, holds it; {@link verdict} has the words besides. */
export function holding(
  demand: MemoryNeed,
  usableMiB: number,
): Pick<Verdict, "fits" | "comfortable"> {
  const { startMiB, highMiB, wholeRange } = demand;
  const fits = wholeRange ? highMiB <= usableMiB : isWithin(startMiB, demand, usableMiB);
  return { fits, comfortable: fits && isWithin(highMiB, demand, usableMiB) };
}

/** Whether so much is in the engine's share of the GPU, but for what it does not count, and in the whole of it. */
function isWithin(mib: number, { outsideMiB, utilisation }: MemoryNeed, usableMiB: number) {
  return mib - outsideMiB <= usableMiB * utilisation && mib <= usableMiB;
}

/** Compares the demand with one GPU's usable memory, MiB (what nvidia-smi reports, less what others hold). */
export function verdict(demand: MemoryDemand, usableMiB: number): Verdict {
  const limitMiB = usableMiB * demand.utilisation;
  const { startMiB, highMiB, wholeRange } = demand;
  const { fits, comfortable } = holding(demand, usableMiB);
  const gpus = gpusOf(demand);
  const each = gpus === 1 ? "" : ` on each of ${gpus} GPUs`;
  const needed = fits ? demand.totalMiB : wholeRange ? highMiB : startMiB;
  const most = wholeRange ? "needs up to" : "needs";
  const taken = wholeRange ? "" : `, of which the engine takes ${gib(limitMiB)}`;
  const word = comfortable ? "needs" : fits ? "starts, with little room: it needs" : most;
  return {
    fits,
    comfortable,
    reason: `${word} ${gib(needed)} GiB${each}, and ${gpus === 1 ? "the" : "a"} GPU has ${gib(usableMiB)} GiB${taken}`,
    utilisation: wholeRange
      ? highMiB / usableMiB
      : Math.max((startMiB - demand.outsideMiB) / limitMiB, startMiB / usableMiB),
  };
}
