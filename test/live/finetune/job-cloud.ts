import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import type { Context } from "mocha";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import type { KeptPlace } from "../../../scripts/finetune/kept-checkpoints.ts";
import { settingsFor } from "../../offline/cloud/account.ts";
import { makeTree, Work } from "./work.ts";

const ownEnvironment = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"];

/** An emulated account whose training jobs run real trainings in the Debian tree, and the bucket `runs` for what they keep. */
export class JobCloud {
  readonly work: Work;
  readonly cloud: Cloud;
  readonly client: SageMakerClient;
  /** Where the job keeps its checkpoints. */
  readonly place: KeptPlace;

  private constructor(work: Work, cloud: Cloud, name: string) {
    this.work = work;
    this.cloud = cloud;
    this.client = new SageMakerClient(settingsFor(cloud));
    const where = { bucket: "runs", prefix: `training/checkpoints/${name}/` };
    this.place = { ...where, region: "us-east-1", endpoint: cloud.endpoint, goesWithStack: false };
  }

  /** @param name of the training, below whose place its checkpoints lie */
  static async open(context: Context, name: string): Promise<JobCloud> {
    const tree = await makeTree(context);
    const work = new Work(tree, mkdtempSync(join(tmpdir(), `berth-${name}-`)));
    const container = new URL("container.sh", import.meta.url).pathname;
    const servingImages = [{ repository: "pytorch-training", command: [container, tree] as const }];
    const cloud = await startCloud({ tier: "none", servingImages });
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" });
    process.env["AWS_ENDPOINT_URL_S3"] = cloud.endpoint;
    return new JobCloud(work, cloud, name);
  }

  /** Puts the base model of the work's folder under `s3://runs/base/`, in a bucket that is made for it. */
  async sendBase(): Promise<void> {
    const s3 = new S3Client({ ...settingsFor(this.cloud), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "runs" }));
    for (const name of readdirSync(this.work.path("base"))) {
      const Body = readFileSync(this.work.path(`base/${name}`));
      await s3.send(new PutObjectCommand({ Bucket: "runs", Key: `base/${name}`, Body }));
    }
  }

  async close(): Promise<void> {
    for (const name of ownEnvironment) Reflect.deleteProperty(process.env, name);
    await this.cloud.stop();
    this.work.close();
  }
}
