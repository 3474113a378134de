import * as pulumi from "@pulumi/pulumi";
import { engineVersionOf } from "../catalogue/vllm-release.ts";
import type { HostConnection } from "../host-connection.ts";
import type { ServingEngine } from "../plan.ts";
import type { DriverWish, PackageMirror, PythonMirror } from "./wish.ts";

/** Inputs of {@link HostBootstrap}. */
export interface HostBootstrapArgs {
  readonly connection: HostConnection;
  /** A new instance is bootstrapped anew. */
  readonly instanceId: pulumi.Input<string>;
  /** What the host must turn out to have. */
  readonly gpu: { readonly model: pulumi.Input<string>; readonly count: pulumi.Input<number> };
  readonly engine: ServingEngine;
  /** Where berth keeps its files on the host. */
  readonly dataFolder: string;
  /**
   * When the lease ends, RFC 3339; empty means never. A later time reaches the host's own timer with the next update.
   * @default the host is told no end
   */
  readonly expiresAt?: pulumi.Input<string> | undefined;
  /** Whether the host may be rebooted where nothing else helps. @default true */
  readonly reboot?: boolean | undefined;
  /** @default the driver that is there, else the branch and modules that the GPU needs */
  readonly driver?: DriverWish | undefined;
  /** A Python environment with this PyTorch release ("2.9"), or "newest". @default none */
  readonly torch?: string | undefined;
  /** NVIDIA's container toolkit too. @default false */
  readonly containers?: boolean | undefined;
  /** Where NVIDIA's packages come from. @default NVIDIA's server */
  readonly mirror?: PackageMirror | undefined;
  /** Where a Python comes from that the system lacks. @default its project's releases */
  readonly pythonMirror?: PythonMirror | undefined;
}

/** A host made ready over SSH: driver checked, runtime and engine put on it, every GPU seen. */
export class HostBootstrap extends pulumi.CustomResource {
  declare readonly facts: pulumi.Output<Readonly<Record<string, unknown>>>;
  declare readonly verified: pulumi.Output<Readonly<Record<string, unknown>>>;

  constructor(name: string, args: HostBootstrapArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { facts: undefined, steps: undefined, verified: undefined };
    const engineVersion = engineVersionOf(args.engine);
    super("berth:index:HostBootstrap", name, { ...args, engineVersion, ...outputs }, opts);
  }
}
