import type { Model } from "./model.ts";

/** What kind of network a task asks for. */
export interface TaskArchitecture {
  readonly task: Model["task"];
  /** The kind, in a few words. */
  readonly architecture: string;
  /** Why, and what it means for memory; one sentence. */
  readonly why: string;
  /** Families of the catalogue that are a good first look. */
  readonly families: readonly string[];
}

/** The task leads to the architecture, and that to what fills the memory. */
export const taskArchitectures: readonly TaskArchitecture[] = [
  {
    task: "text-generation",
    architecture: "decoder-only transformer",
    why: "it writes token by token, so weights and the cache of all earlier tokens fill the memory",
    families: ["Llama 2", "Falcon", "GPT-Neo"],
  },
  {
    task: "code",
    architecture: "decoder-only transformer trained on source code",
    why: "it is built as for text, with contexts of 8,192 tokens and more: cache heads that are shared count",
    families: ["Code Llama", "StarCoder", "StarCoder2"],
  },
  {
    task: "multimodal",
    architecture: "vision encoder that feeds a decoder",
    why: "an image becomes some hundred tokens of the decoder's cache, and the encoder stays in 16 bit",
    families: ["OpenFlamingo", "MiniGPT-4"],
  },
  {
    task: "image-generation",
    architecture: "diffusion pipeline: text encoders, a denoiser and a VAE",
    why: "nothing is cached; the denoiser's activations and the VAE's last step grow with the image",
    families: ["Stable Diffusion"],
  },
];
