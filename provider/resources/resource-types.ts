import type { ResourceType } from "../plugin/resource-type.ts";
import { apiToken } from "./api-token.ts";
import { endpointAnswer } from "./endpoint-answer.ts";
import { existingHost } from "./existing-host.ts";
import { hostBootstrap } from "./host-bootstrap.ts";
import { hostedConfiguration } from "./hosted-configuration.ts";
import { hostedEndpoint } from "./hosted-endpoint.ts";
import { groupHost, hostGroup } from "./host-group.ts";
import { hostLaunch } from "./host-launch.ts";
import { hostKey } from "./host-key.ts";
import { hostKeyRotation } from "./host-key-rotation.ts";
import { inferenceComponent } from "./inference-component.ts";
import { lease } from "./lease.ts";
import { modelServer } from "./model-server.ts";
import { trainingJob } from "./training-job.ts";
import { weightsCopy } from "./weights-copy.ts";
import { weightsSync } from "./weights-sync.ts";

/** Every resource type of the `berth` package, by token. */
export const resourceTypes: ReadonlyMap<string, ResourceType> = new Map([
  ["berth:index:Lease", lease],
  ["berth:index:HostLaunch", hostLaunch],
  ["berth:index:HostGroup", hostGroup],
  ["berth:index:GroupHost", groupHost],
  ["berth:index:HostKey", hostKey],
  ["berth:index:HostKeyRotation", hostKeyRotation],
  ["berth:index:ExistingHost", existingHost],
  ["berth:index:HostBootstrap", hostBootstrap],
  ["berth:index:WeightsSync", weightsSync],
  ["berth:index:WeightsCopy", weightsCopy],
  ["berth:index:ApiToken", apiToken],
  ["berth:index:ModelServer", modelServer],
  ["berth:index:HostedEndpoint", hostedEndpoint],
  ["berth:index:HostedConfiguration", hostedConfiguration],
  ["berth:index:InferenceComponent", inferenceComponent],
  ["berth:index:EndpointAnswer", endpointAnswer],
  ["berth:index:TrainingJob", trainingJob],
]);
