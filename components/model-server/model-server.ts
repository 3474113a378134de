import * as pulumi from "@pulumi/pulumi";
import { engineVersionOf } from "../catalogue/vllm-release.ts";
import type { HostConnection } from "../host-connection.ts";
import type { ServingEngine } from "../plan.ts";
import type { LoadPrecision } from "./load-precision.ts";

/** Inputs of {@link ModelServer}. */
export interface ModelServerArgs {
  readonly connection: HostConnection;
  readonly instanceId: pulumi.Input<string>;
  readonly engine: ServingEngine;
  readonly modelId: string;
  /** Folder on the host that holds the weights. */
  readonly weightsFolder: string;
  /** Where berth keeps its files on the host. */
  readonly dataFolder: string;
  /** Port on the host's loopback. */
  readonly port: number;
  readonly contextTokens: number;
  readonly tensorParallel: pulumi.Input<number>;
  /** What the engine makes of the weights while it loads them. @default "none" */
  readonly quantise?: LoadPrecision | undefined;
  /** How the engine holds a number of its cache. @default 16 bit */
  readonly kvCacheDtype?: string | undefined;
  /** LoRA adapters that it serves beside the model, by the names that requests have. @default none */
  readonly adapters?: readonly { readonly name: string; readonly folder: string }[] | undefined;
  /** The highest rank among them. */
  readonly adapterRank?: number | undefined;
  /** Of answers whose request says none. @default the engine's own */
  readonly temperature?: number | undefined;
  /** The same. @default the engine's own */
  readonly topP?: number | undefined;
  /** What callers have to know; a secret. @default anybody who reaches the port may ask */
  readonly token?: pulumi.Input<string> | undefined;
  /** Listen on all addresses; the security group says who reaches it. @default loopback alone */
  readonly open?: boolean | undefined;
  /** A certificate that the host makes itself, or one of somebody's own (PEM). @default plain HTTP */
  readonly tls?: "own" | pulumi.Input<{ certificate: string; key: string }> | undefined;
  /** Changes when the weights do, so that the server loads the new ones. */
  readonly weightsVersion: pulumi.Input<string>;
}

/** The serving engine, running on the host's loopback; healthy means that it answered a prompt. */
export class ModelServer extends pulumi.CustomResource {
  /** On the host: reach it through SSH. */
  declare readonly url: pulumi.Output<string>;
  declare readonly answeredAt: pulumi.Output<string>;
  /** What clients pin, PEM; empty without TLS. */
  declare readonly certificate: pulumi.Output<string>;

  constructor(name: string, args: ModelServerArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = {
      url: undefined,
      answeredAt: undefined,
      unit: undefined,
      certificate: undefined,
    };
    const engineVersion = engineVersionOf(args.engine);
    super("berth:index:ModelServer", name, { ...args, engineVersion, ...outputs }, opts);
  }
}
