import { vllmRelease } from "../../components/catalogue/vllm-release.ts";
import {
  vllmQuantisation,
  type LoadPrecision,
} from "../../components/model-server/load-precision.ts";
import type { ServingEngine } from "../../components/plan.ts";
import type { Host } from "../adapters/ssh.ts";
import { ensureNode } from "../ensure-node.ts";
import { pythonServerFolder } from "./python-server/bundle.ts";

/** What an engine is started with, whichever it is. */
export interface EngineLaunch {
  readonly engine: ServingEngine;
  readonly modelId: string;
  /** The model's folder on the host. */
  readonly weights: string;
  readonly dataFolder: string;
  readonly port: number;
  readonly contextTokens: number;
  readonly tensorParallel: number;
  /** The address that it listens on. */
  readonly listenAddress: string;
  /** File with the token that callers have to know. @default anybody who reaches it may ask */
  readonly tokenFile?: string | undefined;
  /** @default plain HTTP */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  /** What it makes of the weights while it loads them. */
  readonly quantise: LoadPrecision;
  /** How the cache is held, in the engine's own word. @default 16 bit */
  readonly kvCacheDtype?: string | undefined;
  /** LoRA adapters beside the model, each in its folder on the host. @default none */
  readonly adapters?: readonly { readonly name: string; readonly folder: string }[] | undefined;
  /** The highest rank among them. */
  readonly adapterRank?: number | undefined;
  /** For requests that say none. @default the engine's own */
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
}

type Words = readonly string[];

function flag(name: string, value: string | number | undefined): Words {
  return value === undefined ? [] : [name, String(value)];
}

/** All of them may be asked at once (https://docs.vllm.ai/en/latest/features/lora/). */
function adapterWords({ adapters = [], adapterRank }: EngineLaunch): Words {
  if (adapters.length === 0) return [];
  return [
    "--enable-lora",
    ...flag("--max-loras", adapters.length),
    ...flag("--max-lora-rank", adapterRank),
    "--lora-modules",
    ...adapters.map(({ name, folder }) => `${name}=${folder}`),
  ];
}

/** https://docs.vllm.ai/en/latest/cli/serve/ */
function vllmWords(launch: EngineLaunch): Words {
  const { temperature, topP, quantise } = launch;
  const sampling = { temperature, top_p: topP };
  const given = temperature !== undefined || topP !== undefined;
  return [
    `${launch.dataFolder}/engines/vllm-${vllmRelease.version}/bin/vllm`,
    "serve",
    launch.weights,
    // Its token comes in the environment, VLLM_API_KEY, which the start script reads from the file.
    ...flag("--host", launch.listenAddress),
    ...flag("--port", launch.port),
    ...flag("--ssl-certfile", launch.tls?.certificateFile),
    ...flag("--ssl-keyfile", launch.tls?.keyFile),
    ...flag("--served-model-name", launch.modelId),
    ...flag("--max-model-len", launch.contextTokens),
    ...flag("--tensor-parallel-size", launch.tensorParallel),
    ...flag("--quantization", vllmQuantisation[quantise]),
    ...flag("--kv-cache-dtype", launch.kvCacheDtype),
    ...flag("--override-generation-config", given ? JSON.stringify(sampling) : undefined),
    ...adapterWords(launch),
  ];
}

/** What our own two servers are told of who may ask. */
function accessWords({ listenAddress, port, tokenFile, tls }: EngineLaunch): Words {
  return [
    ...flag("--host", listenAddress),
    ...flag("--port", port),
    ...flag("--token-file", tokenFile),
    ...flag("--tls-certificate", tls?.certificateFile),
    ...flag("--tls-key", tls?.keyFile),
  ];
}

async function llamaWords(host: Host, launch: EngineLaunch): Promise<Words> {
  const node = await ensureNode(host, launch.dataFolder);
  return [
    node.path,
    `${launch.dataFolder}/engines/llama-server/server.mjs`,
    ...flag("--model", launch.weights),
    ...flag("--id", launch.modelId),
    ...accessWords(launch),
    ...flag("--context", launch.contextTokens),
    ...flag("--kv-type", launch.kvCacheDtype?.toUpperCase()),
    ...flag("--temperature", launch.temperature),
    ...flag("--top-p", launch.topP),
  ];
}

function pythonWords(launch: EngineLaunch): Words {
  const image = launch.engine === "diffusers";
  const text = [
    ...flag("--context", launch.contextTokens),
    ...flag("--quantise", launch.quantise),
    ...flag("--temperature", launch.temperature),
    ...flag("--top-p", launch.topP),
  ];
  return [
    `${launch.dataFolder}/python/bin/python`,
    `${pythonServerFolder(launch.dataFolder)}/main.py`,
    ...flag("--kind", image ? "image" : "text"),
    ...flag("--model", launch.weights),
    ...flag("--id", launch.modelId),
    ...accessWords(launch),
    ...(image ? [] : text),
  ];
}

/** The words that start an engine on a host. */
export async function engineCommand(host: Host, launch: EngineLaunch): Promise<Words> {
  switch (launch.engine) {
    case "vllm":
      return vllmWords(launch);
    case "llama.cpp":
      return llamaWords(host, launch);
    case "transformers":
    case "diffusers":
      return pythonWords(launch);
  }
}
