/** An EC2 instance as `questions.py` tells of it. */
export interface InstanceView {
  readonly id: string;
  readonly region: string;
  readonly state: "pending" | "running" | "shutting-down" | "terminated" | "stopping" | "stopped";
  readonly type: string;
  readonly zone: string;
  readonly imageId: string;
  readonly subnetId: string | null;
  readonly vpcId: string | null;
  readonly privateIp: string;
  readonly mac: string;
  readonly securityGroups: readonly string[];
  /** As sent: base64. */
  readonly userData: string;
  readonly publicKeys: readonly string[];
  readonly keyName: string | null;
  readonly rootGiB: number;
  readonly profile: { readonly arn: string; readonly id: string; readonly role: string } | null;
  readonly shutdownBehaviour: "stop" | "terminate";
  readonly lifecycle: "on-demand" | "spot";
  readonly tags: Readonly<Record<string, string>>;
  readonly metadataTags: boolean;
  readonly tokensRequired: boolean;
}
