import * as pulumi from "@pulumi/pulumi";
import type { ServingContainer } from "./serving-container.ts";

/** Inputs of {@link EndpointAnswer}. */
export interface EndpointAnswerArgs {
  readonly endpointName: pulumi.Input<string>;
  /** What the endpoint is to run; a change is looked at anew. */
  readonly configName: pulumi.Input<string>;
  readonly region: string;
  /** Whether it answers at once; one that queues is only looked at. */
  readonly realtime: boolean;
  readonly requestForm: ServingContainer["requestForm"];
  /** The variant that is asked. @default whichever the weights give */
  readonly variantName?: string | undefined;
  /** Where an inference component brings the model: that component, and the model that it is to run. */
  readonly component?:
    | {
        readonly name: pulumi.Input<string>;
        readonly modelName: pulumi.Input<string>;
        readonly state: pulumi.Input<string>;
      }
    | undefined;
  /** SageMaker's word, or "stopped": nothing is asked then. */
  readonly state: pulumi.Input<string>;
}

/**
 * The proof that an endpoint runs the configuration that it was given, and answers. An update that SageMaker rolled back is in
 * service too, with the old configuration; this says that it failed, why, and what the
 * containers wrote last.
 */
export class EndpointAnswer extends pulumi.CustomResource {
  declare readonly answeredAt: pulumi.Output<string>;

  constructor(name: string, args: EndpointAnswerArgs, opts?: pulumi.CustomResourceOptions) {
    super("berth:index:EndpointAnswer", name, { ...args, answeredAt: undefined }, opts);
  }
}
