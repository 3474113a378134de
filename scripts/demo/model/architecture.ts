/** Shape of the demo's model: a Llama of 59.5 M parameters, small enough to make, ship and run in seconds. */
export const demoArchitecture = {
  id: "demo-llama-60m",
  layers: 20,
  hiddenSize: 512,
  attentionHeads: 8,
  kvHeads: 4,
  headDimension: 64,
  intermediateSize: 1408,
  contextTokens: 512,
  rmsNormEpsilon: 1e-5,
  ropeTheta: 10_000,
} as const;

/** Which rows of a query or key projection the two file formats order differently. */
export type RowOrder = "plain" | "rotary-query" | "rotary-key";

/** One tensor: its name in both formats, its shape [rows, columns] (or [n]) and how its values are drawn. */
export interface TensorPlan {
  readonly safetensorsName: string;
  readonly ggufName: string;
  readonly shape: readonly [number] | readonly [number, number];
  /** Standard deviation of the values; 0 means all ones (a norm). */
  readonly deviation: number;
  readonly rowOrder: RowOrder;
}

function matrix(names: readonly [string, string], rows: number, columns: number): TensorPlan {
  return {
    safetensorsName: names[0],
    ggufName: names[1],
    shape: [rows, columns],
    deviation: 1 / Math.sqrt(columns),
    rowOrder: "plain",
  };
}

function norm(safetensorsName: string, ggufName: string): TensorPlan {
  const shape = [demoArchitecture.hiddenSize] as const;
  return { safetensorsName, ggufName, shape, deviation: 0, rowOrder: "plain" };
}

function layerTensors(layer: number): TensorPlan[] {
  const { hiddenSize, kvHeads, headDimension, intermediateSize } = demoArchitecture;
  const long = `model.layers.${layer}`;
  const short = `blk.${layer}`;
  const attention = (part: string): string => `${long}.self_attn.${part}_proj.weight`;
  const feedForward = (part: string): string => `${long}.mlp.${part}_proj.weight`;
  const kvSize = kvHeads * headDimension;
  return [
    norm(`${long}.input_layernorm.weight`, `${short}.attn_norm.weight`),
    {
      ...matrix([attention("q"), `${short}.attn_q.weight`], hiddenSize, hiddenSize),
      rowOrder: "rotary-query",
    },
    {
      ...matrix([attention("k"), `${short}.attn_k.weight`], kvSize, hiddenSize),
      rowOrder: "rotary-key",
    },
    matrix([attention("v"), `${short}.attn_v.weight`], kvSize, hiddenSize),
    matrix([attention("o"), `${short}.attn_output.weight`], hiddenSize, hiddenSize),
    norm(`${long}.post_attention_layernorm.weight`, `${short}.ffn_norm.weight`),
    matrix([feedForward("gate"), `${short}.ffn_gate.weight`], intermediateSize, hiddenSize),
    matrix([feedForward("up"), `${short}.ffn_up.weight`], intermediateSize, hiddenSize),
    matrix([feedForward("down"), `${short}.ffn_down.weight`], hiddenSize, intermediateSize),
  ];
}

/** Every tensor of the model, in file order, for a vocabulary of that many tokens. */
export function demoTensors(vocabularySize: number): readonly TensorPlan[] {
  const { layers, hiddenSize } = demoArchitecture;
  return [
    matrix(["model.embed_tokens.weight", "token_embd.weight"], vocabularySize, hiddenSize),
    ...Array.from({ length: layers }, (_, layer) => layerTensors(layer)).flat(),
    norm("model.norm.weight", "output_norm.weight"),
    matrix(["lm_head.weight", "output.weight"], vocabularySize, hiddenSize),
  ];
}

/** How many numbers a tensor holds. */
export function elementCount(tensor: TensorPlan): number {
  return tensor.shape.reduce<number>((product, size) => product * size, 1);
}
