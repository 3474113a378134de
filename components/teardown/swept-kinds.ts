/** A parameter list of an AWS call; a key that ends in `.$` takes its value from the state machine's data. */
type Parameters = Readonly<Record<string, unknown>>;

/** One kind of thing that costs money, or holds something that does, and how it is found, marked and ended. */
export interface SweptKind {
  readonly kind: string;
  /** SDK integration that lists it: `service:action`. */
  readonly find: string;
  /** Whether EC2 is asked by its filters, or the resource tag index by tags. @default EC2 */
  readonly asks?: "tag-index" | undefined;
  /** What the listing takes besides the tags. */
  readonly also?: Parameters | undefined;
  /** Further EC2 filters, by name. */
  readonly filters?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Where the answer has the things, as a path below it: `Volumes`. */
  readonly list: string;
  /** The id of each, as a path below one thing. */
  readonly id: string;
  /** SDK integration that ends it. */
  readonly end: string;
  /** What ending takes: the name of the parameter for all ids at once, or for one. */
  readonly ids: { readonly all: string } | { readonly one: string; readonly from?: string };
  /** The resources that ending is allowed for, as IAM writes them. @default EC2's */
  readonly resource?: string | undefined;
}

/**
 * What a sweep ends: what costs by the hour, and what could bring it back. What costs nothing (network, roles) is left to
 * `down`, which knows its order.
 */
export const sweptKinds: readonly SweptKind[] = [
  {
    kind: "spot-request",
    find: "ec2:describeSpotInstanceRequests",
    filters: { state: ["open", "active"] },
    list: "SpotInstanceRequests",
    id: "SpotInstanceRequestId",
    end: "ec2:cancelSpotInstanceRequests",
    ids: { all: "SpotInstanceRequestIds" },
  },
  {
    kind: "instance",
    find: "ec2:describeInstances",
    filters: { "instance-state-name": ["pending", "running", "stopping", "stopped"] },
    list: "Reservations[*].Instances",
    id: "InstanceId",
    end: "ec2:terminateInstances",
    ids: { all: "InstanceIds" },
  },
  {
    // Before its endpoint, which would leave it behind.
    kind: "component",
    asks: "tag-index",
    find: "resourcegroupstaggingapi:getResources",
    also: { ResourceTypeFilters: ["sagemaker:inference-component"] },
    list: "ResourceTagMappingList",
    id: "ResourceARN",
    end: "sagemaker:deleteInferenceComponent",
    ids: {
      one: "InferenceComponentName",
      from: "States.ArrayGetItem(States.StringSplit($.ResourceARN, '/'), 1)",
    },
    resource: "arn:aws:sagemaker:*:*:inference-component/*",
  },
  {
    kind: "endpoint",
    asks: "tag-index",
    find: "resourcegroupstaggingapi:getResources",
    also: { ResourceTypeFilters: ["sagemaker:endpoint"] },
    list: "ResourceTagMappingList",
    id: "ResourceARN",
    end: "sagemaker:deleteEndpoint",
    ids: {
      one: "EndpointName",
      from: "States.ArrayGetItem(States.StringSplit($.ResourceARN, '/'), 1)",
    },
    resource: "arn:aws:sagemaker:*:*:endpoint/*",
  },
  {
    // One that is over stays in the index; stopping it is refused, and changes nothing.
    kind: "training-job",
    asks: "tag-index",
    find: "resourcegroupstaggingapi:getResources",
    also: { ResourceTypeFilters: ["sagemaker:training-job"] },
    list: "ResourceTagMappingList",
    id: "ResourceARN",
    end: "sagemaker:stopTrainingJob",
    ids: {
      one: "TrainingJobName",
      from: "States.ArrayGetItem(States.StringSplit($.ResourceARN, '/'), 1)",
    },
    resource: "arn:aws:sagemaker:*:*:training-job/*",
  },
  {
    kind: "running-notebook",
    asks: "tag-index",
    find: "resourcegroupstaggingapi:getResources",
    also: { ResourceTypeFilters: ["sagemaker:notebook-instance"] },
    list: "ResourceTagMappingList",
    id: "ResourceARN",
    end: "sagemaker:stopNotebookInstance",
    ids: {
      one: "NotebookInstanceName",
      from: "States.ArrayGetItem(States.StringSplit($.ResourceARN, '/'), 1)",
    },
    resource: "arn:aws:sagemaker:*:*:notebook-instance/*",
  },
  {
    // SageMaker refuses it while one runs: the sweep after the one that stopped it deletes it.
    kind: "notebook",
    asks: "tag-index",
    find: "resourcegroupstaggingapi:getResources",
    also: { ResourceTypeFilters: ["sagemaker:notebook-instance"] },
    list: "ResourceTagMappingList",
    id: "ResourceARN",
    end: "sagemaker:deleteNotebookInstance",
    ids: {
      one: "NotebookInstanceName",
      from: "States.ArrayGetItem(States.StringSplit($.ResourceARN, '/'), 1)",
    },
    resource: "arn:aws:sagemaker:*:*:notebook-instance/*",
  },
  {
    kind: "volume",
    find: "ec2:describeVolumes",
    // One that is attached goes with its instance.
    filters: { status: ["available"] },
    list: "Volumes",
    id: "VolumeId",
    end: "ec2:deleteVolume",
    ids: { one: "VolumeId" },
  },
  {
    kind: "snapshot",
    find: "ec2:describeSnapshots",
    also: { OwnerIds: ["self"] },
    list: "Snapshots",
    id: "SnapshotId",
    end: "ec2:deleteSnapshot",
    ids: { one: "SnapshotId" },
  },
  {
    kind: "address",
    find: "ec2:describeAddresses",
    list: "Addresses",
    id: "AllocationId",
    end: "ec2:releaseAddress",
    ids: { one: "AllocationId" },
  },
  {
    kind: "launch-template",
    find: "ec2:describeLaunchTemplates",
    list: "LaunchTemplates",
    id: "LaunchTemplateId",
    end: "ec2:deleteLaunchTemplate",
    ids: { one: "LaunchTemplateId" },
  },
];
