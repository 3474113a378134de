import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { InstanceView } from "./instance-view.ts";
import { identityDocument, lookUp, metadataOf } from "./metadata.ts";

/**
 * The instance metadata service of version 2, for machines whose tier sends
 * `http://169.254.169.254/...` on to `/_cloud/imds/<instance id>/...`.
 * Version 1 (no token) is refused on every instance, whatever its options.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
export class MetadataService {
  /** Token to the instance it was given to and its end. */
  readonly #tokens = new Map<string, { id: string; ends: number }>();

  answer(
    view: { instance: InstanceView; address: string },
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const end = (status: number, text = "", type = "text/plain"): void => {
      response
        .writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) })
        .end(text);
    };
    if (path === "latest/api/token") {
      const seconds = Number(request.headers["x-aws-ec2-metadata-token-ttl-seconds"]);
      if (request.method !== "PUT") end(405);
      else if (!(seconds >= 1 && seconds <= 21_600)) end(400);
      else end(200, this.#issue(view.instance.id, seconds));
      return;
    }
    const given = request.headers["x-aws-ec2-metadata-token"];
    const token = typeof given === "string" ? this.#tokens.get(given) : undefined;
    if (token?.id !== view.instance.id || token.ends < Date.now()) {
      end(401, "401 - Unauthorized");
      return;
    }
    const text = this.#read(view, path);
    if (text === undefined) end(404, "404 - Not Found");
    else end(200, text, path.includes("identity") ? "application/json" : "text/plain");
  }

  #issue(id: string, seconds: number): string {
    const token = randomBytes(40).toString("base64url");
    this.#tokens.set(token, { id, ends: Date.now() + seconds * 1000 });
    return token;
  }

  #read(
    { instance, address }: { instance: InstanceView; address: string },
    path: string,
  ): string | undefined {
    if (path === "latest/dynamic/instance-identity/document")
      return identityDocument(instance, address);
    if (path === "latest/user-data") {
      return instance.userData === ""
        ? undefined
        : Buffer.from(instance.userData, "base64").toString();
    }
    const below = /^latest\/meta-data\/?(.*)$/.exec(path)?.[1];
    return below === undefined ? undefined : lookUp(metadataOf(instance, address), below);
  }
}
