import { z } from "zod";

/** An adapter that is served beside the model, and where its files are. */
export interface StoredAdapter {
  /** What requests name it by. */
  readonly name: string;
  /** Below the bucket of the weights; ends with a slash. */
  readonly prefix: string;
}

/** An entry of `berth:adapters`. */
export const adapterEntry = /^([a-z0-9][a-z0-9.+-]{0,62})=([^\s,*?$"\\/][^\s,*?$"\\]*\/)$/;

/** Beside one model: the host's role names the place of each, and IAM gives it 10,240 characters for all. */
export const mostAdapters = 32;

/** Ranks that vLLM reserves memory for (`MaxLoRARanks` in vllm/config/lora.py). */
export const adapterRanks = [8, 16, 32, 64, 128, 256, 320, 512] as const;

/** What memory is reserved for unless said. */
export const usualAdapterRank = 16;

/** The least that vLLM reserves for adapters of a rank; undefined above the highest. */
export function reservedRank(rank: number): number | undefined {
  return adapterRanks.find((each) => each >= rank);
}

/** The entries of `berth:adapters`, which have been checked. */
export function storedAdapters(entries: readonly string[] = []): readonly StoredAdapter[] {
  return entries.map((entry) => {
    const [, name = "", prefix = ""] = adapterEntry.exec(entry) ?? [];
    return { name, prefix };
  });
}

const configSchema = z.looseObject({
  peft_type: z.string(),
  r: z.int().positive(),
  base_model_name_or_path: z.string().nullish(),
  use_dora: z.boolean().nullish(),
  bias: z.string().nullish(),
  modules_to_save: z.array(z.string()).nullish(),
});

/** What PEFT writes beside an adapter's weights. */
export type AdapterConfig = z.infer<typeof configSchema>;

/** The content of `adapter_config.json`; undefined when it is none. */
export function parseAdapterConfig(text: string): AdapterConfig | undefined {
  try {
    return configSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What keeps vLLM from serving an adapter (`PEFTHelper` in vllm/lora/peft_helper.py); it may start all the same, and die of the first request. */
export function adapterProblems(config: AdapterConfig): readonly string[] {
  const { peft_type: kind, use_dora: dora, bias, modules_to_save: saved, r: rank } = config;
  return [
    ...(kind === "LORA" ? [] : [`it is ${kind}, and no LoRA`]),
    ...(dora === true ? ["it has DoRA's magnitudes"] : []),
    ...(bias === undefined || bias === null || bias === "none" ? [] : ["it has biases"]),
    ...(saved !== undefined && saved !== null && saved.length > 0
      ? [`it has whole matrices besides: ${saved.join(", ")}`]
      : []),
    ...(reservedRank(rank) === undefined
      ? [`its rank is ${rank}, and ${adapterRanks.at(-1) ?? 0} is the highest`]
      : []),
  ];
}
