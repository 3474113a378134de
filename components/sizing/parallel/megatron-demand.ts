import type { Model } from "../../catalogue/model.ts";
import { demandOf, type MemoryDemand, type MemoryPart, type PartName } from "../memory-part.ts";
import { shapeOf, type ModelShape } from "../model-shape.ts";
import {
  eachAmount,
  optimizerShares,
  passAmounts,
  stateAmounts,
  stateBytes,
  trainingShare,
  type AmountName,
  type MegatronTraining,
  type PassAmounts,
  type StateAmounts,
} from "./megatron-amounts.ts";

/** Over how many GPUs the moments are shared out, in words. */
function sharesText(shape: ModelShape, training: MegatronTraining): string {
  const over = optimizerShares(training);
  const mixed = shape.experts !== undefined && training.workload.method === "full";
  return mixed ? `over ${over.rest}, of experts over ${over.experts}` : `over ${over.rest}`;
}

function passesText(
  { tokens, layers, inFlight }: PassAmounts,
  { split, again }: MegatronTraining,
): string {
  const passes = split.pipelineParallel === 1 ? "" : `, ${inFlight.toFixed(1)} passes in flight`;
  const kind = again ? "a checkpoint of each layer" : "all but attention's scores";
  return `${tokens} tokens x ${layers} layers${passes}: ${kind}`;
}

/** The arithmetic of each amount. */
function wordsOf(
  shape: ModelShape,
  training: MegatronTraining,
  { states, passes }: { readonly states: StateAmounts; readonly passes: PassAmounts },
): Readonly<Record<AmountName, string>> {
  const frozen = training.workload.method === "full" ? "" : ", frozen";
  return {
    weights: `${(states.held / 1e9).toFixed(2)} B parameters of a stage x ${stateBytes.weights} bytes${frozen}`,
    adapters: `${(states.adapters / stateBytes.weights / 1e6).toFixed(1)} M of adapters`,
    gradients: `${stateBytes.gradients} bytes of each`,
    optimizer: `${stateBytes.optimizer} bytes of each, ${sharesText(shape, training)}`,
    activations: passesText(passes, training),
    logits: `${passes.tokens} x ${shape.vocabularySize}`,
    gathered: "gathered streams",
    context: "CUDA context and libraries",
    holes: "blocks that the allocator holds",
    nccl: "NCCL's buffers between the GPUs",
    furtherGroups: "and of the further groups",
  };
}

/** Names of the amounts as parts of any training. */
const partNames: Readonly<Record<AmountName, PartName>> = {
  weights: "weights",
  adapters: "adapters",
  gradients: "gradients",
  optimizer: "optimizer",
  activations: "activations",
  logits: "logits",
  gathered: "activations",
  context: "runtime",
  holes: "fragmentation",
  nccl: "communication",
  furtherGroups: "communication",
};

function partsOf(shape: ModelShape, training: MegatronTraining): readonly MemoryPart[] {
  const amounts = {
    states: stateAmounts(shape, training),
    passes: passAmounts(shape, training),
  };
  const words = wordsOf(shape, training, amounts);
  const parts: MemoryPart[] = [];
  eachAmount(shape, training, amounts, (name, amount) => {
    parts.push({ name: partNames[name], ...amount, why: words[name] });
  });
  return parts;
}

/**
 * What each GPU has to hold when Megatron-LM trains all weights or adapters in mixed precision: the fuller of first and last stage. Pure.
 * The split has been checked.
 *
 * @throws UserError when the catalogue lacks a figure that it takes
 */
export function megatronDemand(model: Model, training: MegatronTraining): MemoryDemand {
  const parts = partsOf(shapeOf(model), training);
  const { split, settings } = training;
  const { contextParallel = 1 } = settings;
  const parallelism = contextParallel === 1 ? split : { ...split, contextParallel };
  return demandOf({ parts, parallelism, utilisation: trainingShare, wholeRange: true });
}
