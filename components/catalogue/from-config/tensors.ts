/** One tensor as the header of a safetensors file lists it. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What the headers of a checkpoint say: its parameters, and those of them that are held in fewer bits. */
export interface TensorCount {
  readonly parameters: number;
  readonly quantisedParameters: number;
  /** Of layers for multi-token prediction, which are on disk and not in `parameters`. */
  readonly predictionParameters: number;
}

/** Scales, zero points and tables beside quantised weights, and buffers: on disk, but no parameters. */
const beside =
  /(^|[._])(scales|qzeros|g_idx|absmax|quant_map|nested_absmax|nested_quant_map|quant_state\..*|SCB|weight_format|weight_scale|weight_scale_inv|weight_scale_2|input_scale|output_scale|weight_shape|weight_zero_point|k_scale|v_scale)$|inv_freq$|\.masked_bias$|\.attn(\.attention)?\.bias$|position_ids$/;

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Parameters that one stored number holds: 8 of 4 bits in an I32, 2 in a byte. */
function packed({ name, dtype }: TensorInfo, bits: number): number {
  if (/(qweight|weight_packed)$/.test(name)) return (dtype === "U8" ? 8 : 32) / bits;
  if (name.endsWith("_blocks") && dtype === "U8") return 2;
  return dtype === "U8" && bits === 4 && name.endsWith("weight") ? 2 : 1;
}

function isQuantised({ name, dtype }: TensorInfo): boolean {
  return /(qweight|weight_packed|_blocks)$/.test(name) || /^(F8_|I8|U8)/.test(dtype);
}

function beyond(name: string, layers: number | undefined): boolean {
  const layer = /(?:^|\.)layers\.(\d+)\./.exec(name)?.[1];
  return /(^|\.)mtp\./.test(name) || (layers !== undefined && Number(layer) >= layers);
}

/**
 * Counts parameters from safetensors headers.
 *
 * @param bits of a quantised weight, where some are packed
 * @param layers of the model; those beyond it predict further tokens and are only used for speculation
 */
export function countTensors(
  tensors: readonly TensorInfo[],
  bits: number,
  layers: number | undefined,
): TensorCount {
  let parameters = 0;
  let quantisedParameters = 0;
  let predictionParameters = 0;
  for (const tensor of tensors) {
    if (beside.test(tensor.name) || tensor.name.endsWith("_scales")) continue;
    const size = elements(tensor.shape) * packed(tensor, bits);
    if (beyond(tensor.name, layers)) {
      predictionParameters += size;
      continue;
    }
    parameters += size;
    if (isQuantised(tensor)) quantisedParameters += size;
  }
  return { parameters, quantisedParameters, predictionParameters };
}
