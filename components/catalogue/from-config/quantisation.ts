import type { Model } from "../model.ts";
import type { ConfigFields } from "./config-fields.ts";

type Quantisation = NonNullable<Model["quantisation"]>;

/** A checkpoint's number format: its name in the catalogue, bytes of a plain parameter, and the layout if quantised. */
export interface Precision {
  readonly name: string;
  /** Of what is not quantised. */
  readonly bytesPerParameter: number;
  /** Whether, in a mixture, only the routed experts are quantised. */
  readonly expertsAlone?: boolean;
  readonly quantisation?: Quantisation;
}

const plainBytes: Readonly<Record<string, readonly [string, number]>> = {
  float32: ["fp32", 4],
  float16: ["fp16", 2],
  bfloat16: ["bf16", 2],
  float8_e4m3fn: ["fp8", 1],
};

/** Scale and zero point of each group: 16 and `bits` bits (https://arxiv.org/abs/2210.17323, https://arxiv.org/abs/2306.00978). */
function grouped(method: "gptq" | "awq", config: ConfigFields): Quantisation {
  const bits = config.count("bits", "w_bit") ?? 4;
  const groupSize = config.countOrZero("group_size", "q_group_size") ?? 128;
  const overhead = groupSize === 0 ? 0 : (16 + bits) / groupSize;
  return {
    method,
    bits,
    ...(groupSize === 0 ? {} : { groupSize }),
    bitsPerWeight: bits + overhead,
  };
}

/** LLM.int8 has one scale a row; NF4 one for 64 weights, itself quantised or not (https://arxiv.org/abs/2305.14314). */
function bitsandbytes(config: ConfigFields): Quantisation {
  if (config.flag("load_in_8bit", "_load_in_8bit") === true) {
    return { method: "bitsandbytes", bits: 8, bitsPerWeight: 8 };
  }
  const scale = config.flag("bnb_4bit_use_double_quant") === true ? 0.127 : 0.5;
  return { method: "bitsandbytes", bits: 4, groupSize: 64, bitsPerWeight: 4 + scale };
}

/** https://github.com/vllm-project/compressed-tensors: the first group of the configuration stands for all. */
function compressed(config: ConfigFields): Quantisation {
  const groups = config.section("config_groups");
  const weights = (groups?.section("group_0") ?? groups?.section("0"))?.section("weights");
  const bits = weights?.count("num_bits") ?? 8;
  const groupSize = weights?.count("group_size");
  const layout = /^(mxfp4|nvfp4)/.exec(config.text("format") ?? "")?.[1];
  const scaleBits = layout === undefined ? 16 : 8;
  return {
    method: layout === "mxfp4" || layout === "nvfp4" ? layout : "compressed-tensors",
    bits,
    ...(groupSize === undefined ? {} : { groupSize }),
    bitsPerWeight: bits + (groupSize === undefined ? 0 : scaleBits / groupSize),
  };
}

/** https://github.com/NVIDIA/Model-Optimizer: NVFP4 has an 8-bit scale for each 16 weights; a mixture counts as its widest. */
function modelopt(config: ConfigFields): Quantisation {
  const algorithm = config.text("quant_algo")?.toUpperCase() ?? "";
  if (algorithm.endsWith("NVFP4")) {
    return { method: "nvfp4", bits: 4, groupSize: 16, bitsPerWeight: 4.5 };
  }
  return { method: "fp8", bits: 8, bitsPerWeight: 8 };
}

function layoutOf(config: ConfigFields): Quantisation {
  const method = config.text("quant_method") ?? "unknown";
  switch (method.toLowerCase()) {
    case "fp8":
    case "fbgemm_fp8": {
      const block = config.listLength("weight_block_size");
      const overhead = block === undefined ? 0 : 32 / (128 * 128);
      return {
        method: "fp8",
        bits: 8,
        ...(block === undefined ? {} : { groupSize: 128 }),
        bitsPerWeight: 8 + overhead,
      };
    }
    case "mxfp4":
      return { method: "mxfp4", bits: 4, groupSize: 32, bitsPerWeight: 4.25 };
    case "gptq":
    case "awq":
      return grouped(method === "awq" ? "awq" : "gptq", config);
    case "modelopt":
    case "modelopt_fp4":
      return modelopt(config);
    case "bitsandbytes":
      return bitsandbytes(config);
    case "compressed-tensors":
      return compressed(config);
    default: {
      const bits = config.count("bits", "num_bits") ?? 8;
      return { method: "other", bits, bitsPerWeight: bits };
    }
  }
}

const shownMethod: Readonly<Record<string, string>> = {
  fp8: "fp8",
  mxfp4: "mxfp4 (experts) + bf16",
  nvfp4: "nvfp4",
};

const expertsInFour = {
  name: "mxfp4 (experts) + fp8",
  expertsAlone: true,
  quantisation: { method: "mxfp4", bits: 4, groupSize: 32, bitsPerWeight: 4.25 },
} as const;

/** Whether a list of what is left in 16 bit names attention, so that of a mixture the routed experts alone are quantised. */
function leavesAttention(section: ConfigFields): boolean {
  const lists = ["ignore", "exclude_modules", "modules_to_not_convert"];
  const names = lists.flatMap((list) => section.texts(list, "quiet") ?? []);
  return names.some((name) => /(self_attn|attention)[.*]*$/.test(name));
}

/** Number format of a transformers checkpoint, from `dtype` (or `torch_dtype`) and `quantization_config`. */
export function precisionOf(config: ConfigFields, text: ConfigFields): Precision {
  const dtype =
    config.text("dtype", "torch_dtype") ?? text.text("dtype", "torch_dtype") ?? "bfloat16";
  const [name, bytesPerParameter] = plainBytes[dtype.replace("torch.", "")] ?? ["bf16", 2];
  const section =
    config.section("quantization_config", "compression_config") ??
    text.section("quantization_config");
  if (section === undefined) return { name, bytesPerParameter };
  // DeepSeek V4 has its routed experts in 4 bit and the rest in 8.
  if (text.text("expert_dtype") === "fp4") {
    return { ...expertsInFour, bytesPerParameter: 1 };
  }
  const quantisation = layoutOf(section);
  const { method, bits } = quantisation;
  const shown = shownMethod[method] ?? `int${bits} (${method})`;
  return {
    name: shown,
    bytesPerParameter: Math.min(2, bytesPerParameter),
    expertsAlone: method === "mxfp4" || (bits < 8 && leavesAttention(section)),
    quantisation,
  };
}
