import { z } from "zod";
import { adapterEntry, adapterRanks, mostAdapters } from "../components/model-server/adapters.ts";
import { flag, list } from "./setting-values.ts";

/** The kinds of values that the settings of a server are of. */
interface Kinds<N extends z.ZodType<number>, T extends z.ZodType<string>, C extends z.ZodType> {
  readonly number: N;
  readonly text: T;
  readonly cidr: C;
}

/** A value that `pulumi config set --secret` wrote is seen as it is only by the program. */
const encrypted = z.strictObject({ secure: z.string() });

function secret<T extends z.ZodType<string>>(plain: T) {
  return z.union([encrypted, plain]).optional();
}

/** What may be set of the server on a host. */
export function servingShape<
  N extends z.ZodType<number>,
  T extends z.ZodType<string>,
  C extends z.ZodType,
>({ number, text, cidr }: Kinds<N, T, C>) {
  return {
    /** What serves the model. @default by the model: vllm, llama.cpp for GGUF files, diffusers for images */
    engine: z
      .enum(["vllm", "llama.cpp", "transformers", "diffusers"], {
        error: ({ input }) =>
          input === "tgi"
            ? "tgi is not offered: its repository is archived since March 2026 (docs/adr/0009-no-tgi.md). Leave it out, and vllm serves the same models"
            : "must be vllm, llama.cpp, transformers or diffusers",
      })
      .optional(),
    /** How a number of the key-value cache is held. @default 16 bit */
    kvCacheDtype: z
      .enum(["fp8", "q8_0", "q4_0"], "must be fp8 (vllm), or q8_0 or q4_0 (llama.cpp)")
      .optional(),
    /** LoRA adapters that vLLM serves beside the model, by name and prefix in the bucket of the weights. @default none */
    adapters: list(adapterEntry, "acme-support=adapters/llama-3.1-8b/acme-support/3f2a91c0/")
      .refine(
        (entries) => new Set(entries.map((entry) => entry.split("=")[0])).size === entries.length,
        "names an adapter twice",
      )
      .refine(
        ({ length }) => length <= mostAdapters,
        `must name ${mostAdapters} at most, or be merged into models of their own`,
      )
      .optional(),
    /** The highest rank among them, which memory is reserved for. @default 16 */
    adapterRank: number
      .refine(
        (rank) => adapterRanks.some((each) => each === rank),
        `must be one of ${adapterRanks.join(", ")}`,
      )
      .optional(),
    /** Of answers whose request says none. @default the engine's own */
    temperature: number
      .refine((value) => value >= 0 && value <= 2, "must be from 0 to 2")
      .optional(),
    topP: number
      .refine((value) => value > 0 && value <= 1, "must be above 0, and at most 1")
      .optional(),
    /** What `berth invoke` puts its prompt into, at {prompt}. @default the prompt alone */
    promptTemplate: text
      .refine((value) => value.includes("{prompt}"), "must have {prompt} in it")
      .optional(),
    /** An older release of vLLM stays on the host's disk when the new one has answered. @default false */
    keepOldEngine: flag.optional(),
    /** What callers have to know; best as a secret. @default one that is made and kept in the state */
    apiToken: secret(
      text.refine(
        (value) => /^[\x21-\x7e]{16,}$/.test(value),
        "must be 16 characters or more, without spaces",
      ),
    ),
    /** Where requests may come from besides SSH. @default nowhere: the server listens on loopback */
    serveCidr: cidr.optional(),
    /** @default own with serveCidr, else off */
    tls: z.enum(["own", "off"], "must be own or off").optional(),
    /** A certificate of your own, PEM, with its key. @default one that the host makes itself */
    tlsCertificate: text.optional(),
    tlsKey: secret(text),
  };
}

/** The same for `omit` and `pick`. */
export const servingKeys = {
  engine: true,
  kvCacheDtype: true,
  adapters: true,
  adapterRank: true,
  temperature: true,
  topP: true,
  promptTemplate: true,
  keepOldEngine: true,
  apiToken: true,
  serveCidr: true,
  tls: true,
  tlsCertificate: true,
  tlsKey: true,
} as const;
