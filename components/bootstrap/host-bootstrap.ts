import * as pulumi from "@pulumi/pulumi";
import type { HostConnection } from "../host-connection.ts";
import type { ServingEngine } from "../plan.ts";

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
  /** When the lease ends, RFC 3339; empty means never. A later time reaches the host's own timer with the next update. */
  readonly expiresAt: pulumi.Input<string>;
}

/** A host made ready over SSH: driver checked, runtime and engine put on it, every GPU seen. */
export class HostBootstrap extends pulumi.CustomResource {
  declare readonly facts: pulumi.Output<Readonly<Record<string, unknown>>>;
  declare readonly verified: pulumi.Output<Readonly<Record<string, unknown>>>;

  constructor(name: string, args: HostBootstrapArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { facts: undefined, steps: undefined, verified: undefined };
    super("berth:index:HostBootstrap", name, { ...args, ...outputs }, opts);
  }
}
