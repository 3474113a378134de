import { paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { storagePrice, storageUsd } from "../../components/pricing/storage-price.ts";
import { counted } from "../../components/counted.ts";
import { bytesText } from "../../provider/sync-text.ts";
import { usdText } from "../push/push-plan.ts";
import { S3Connection } from "../push/s3-client.ts";
import { uriOf, type KeptPlace } from "./kept-checkpoints.ts";

/** What a training has in S3. */
export interface Stored {
  readonly checkpoints: number;
  /** Of checkpoints, result, progress and the folders that were sent. */
  readonly bytes: number;
}

/** Counts what is kept of a training. @throws the S3 error when the prefix cannot be listed */
export async function storedIn(place: KeptPlace): Promise<Stored> {
  const connection = new S3Connection({ region: place.region, lanes: 1 });
  const asked = { Bucket: place.bucket, Prefix: place.prefix };
  try {
    return await connection.send(async (client) => {
      const checkpoints = new Set<string>();
      let bytes = 0;
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, asked)) {
        for (const { Key = "", Size = 0 } of Contents) {
          const [folder = ""] = Key.slice(place.prefix.length).split("/");
          if (/^checkpoint-\d+$/.test(folder)) checkpoints.add(folder);
          bytes += Size;
        }
      }
      return { checkpoints: checkpoints.size, bytes };
    });
  } finally {
    connection.close();
  }
}

/** What is kept and what that costs a month; why it is not known where S3 refuses. */
export async function storedLine(place: KeptPlace): Promise<string> {
  const label = "stored".padEnd(11);
  try {
    const { checkpoints, bytes } = await storedIn(place);
    const price = storagePrice(place.region);
    const monthly = usdText(storageUsd(bytes, price));
    return `${label}${counted(checkpoints, "checkpoint")}, ${bytesText(bytes)} in all, ${monthly} a month (${price.region}, ${price.asOf}): ${uriOf(place)}`;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `${label}not known: ${uriOf(place)} cannot be listed (${why})`;
  }
}
