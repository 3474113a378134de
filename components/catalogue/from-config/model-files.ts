import type { TensorInfo } from "./tensors.ts";

/** The weight files of one network: what their headers list, and their size together. */
export interface WeightFiles {
  readonly tensors: readonly TensorInfo[];
  readonly bytes: number;
}

interface Named {
  /** Where it was read, as errors name it. */
  readonly place: string;
  /** Name for the model: that of its folder or file. */
  readonly name: string;
}

/** A folder in the form of Hugging Face transformers, or its config.json alone. */
export interface TransformersFiles extends Named {
  readonly kind: "transformers";
  readonly config: unknown;
  /** generation_config.json, where the folder has one. */
  readonly generationConfig?: unknown;
  readonly weights?: WeightFiles | undefined;
}

/** A folder of Hugging Face diffusers: model_index.json, and one folder for each network. */
export interface DiffusersFiles extends Named {
  readonly kind: "diffusers";
  readonly modelIndex: unknown;
  readonly parts: Readonly<
    Record<string, { readonly config?: unknown; readonly weights?: WeightFiles | undefined }>
  >;
}

/** A tensor of a GGUF file; `type` is its number in ggml's list of formats. */
export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
}

/** The head of a GGUF file, of all its parts where it is split. */
export interface GgufFiles extends Named {
  readonly kind: "gguf";
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tensors: readonly GgufTensor[];
  readonly bytes: number;
}

/** Whatever describes a model on disk. */
export type ModelFiles = TransformersFiles | DiffusersFiles | GgufFiles;
