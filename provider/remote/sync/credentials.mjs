// The instance role's credentials, from the metadata service by a token (IMDSv2).

import http from "node:http";
import { text } from "node:stream/consumers";

export class InstanceCredentials {
  #base = process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT ?? "http://169.254.169.254";
  #current;
  #asking;

  /** The role's credentials, renewed five minutes before their end; undefined where there is no role. */
  async get() {
    if (this.#current === null) return undefined;
    if (this.#current !== undefined && Date.now() < this.#current.until) return this.#current;
    // Many lanes ask at once, and one question is enough. Old credentials are tried on when no new ones are to be had.
    this.#asking ??= this.#fetch()
      .then((found) => (this.#current = found))
      .catch(() => (this.#current ??= null))
      .finally(() => (this.#asking = undefined));
    await this.#asking;
    return this.#current ?? undefined;
  }

  /** S3 says that these are past their time: the next `get` asks anew. */
  expire(used) {
    if (this.#current === used) this.#current = { ...used, until: 0 };
  }

  async #fetch() {
    const token = await this.#ask("PUT", "/latest/api/token", {
      "x-aws-ec2-metadata-token-ttl-seconds": "3600",
    });
    const headers = { "x-aws-ec2-metadata-token": token };
    const folder = "/latest/meta-data/iam/security-credentials/";
    const role = (await this.#ask("GET", folder, headers)).split("\n")[0];
    const found = JSON.parse(await this.#ask("GET", folder + role, headers));
    if (!found.AccessKeyId || !found.SecretAccessKey) throw new Error("no credentials");
    const until = Date.parse(found.Expiration ?? "") - 300_000;
    return {
      id: found.AccessKeyId,
      secret: found.SecretAccessKey,
      token: found.Token,
      // Ones that end within five minutes are asked for again, but not at every request.
      until: Math.max(Number.isNaN(until) ? 0 : until, Date.now() + 5000),
    };
  }

  /** By `node:http`: `fetch` takes a tenth of a second to load. */
  #ask(method, path, headers) {
    return new Promise((resolve, reject) => {
      const request = http.request(this.#base + path, { method, headers, timeout: 1500 });
      request.once("timeout", () => request.destroy(new Error(`${path} gave no answer`)));
      request.once("error", reject);
      request.once("response", (answer) => {
        text(answer).then((said) => {
          if (answer.statusCode === 200) resolve(said.trim());
          else reject(new Error(`${path} gave ${answer.statusCode}`));
        }, reject);
      });
      request.end();
    });
  }
}
