// The instance role's credentials, from the metadata service by a token (IMDSv2).

import { Connection, Origin } from "./connection.mjs";

const patienceMs = 1500;

/** The text of a body that came in chunks. */
function joined(text) {
  let all = "";
  for (let rest = text; ;) {
    const line = rest.indexOf("\r\n");
    const length = Number.parseInt(rest.slice(0, line), 16);
    if (!(length > 0)) return all;
    all += rest.slice(line + 2, line + 2 + length);
    rest = rest.slice(line + 4 + length);
  }
}

export class InstanceCredentials {
  #origin = new Origin(process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT ?? "http://169.254.169.254");
  #current;
  #asking;

  /** Those of {@link get} that are good already; undefined where they have to be asked for, or there is no role. */
  get ready() {
    const known = this.#current;
    return known !== null && known !== undefined && Date.now() < known.until ? known : undefined;
  }

  /** The role's credentials, renewed five minutes before their end; undefined where there is no role. */
  async get() {
    if (this.#current === null) return undefined;
    const { ready } = this;
    if (ready !== undefined) return ready;
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

  /** Not by `node:http`, which takes longer to load than all the questions. */
  async #ask(method, path, headers) {
    const all = { host: this.#origin.host, connection: "close", ...headers };
    if (method === "PUT") all["content-length"] = "0";
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const connection = new Connection(this.#origin);
    const timer = setTimeout(() => {
      connection.abort(new Error(`${path} gave no answer`));
    }, patienceMs);
    try {
      const request = `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
      // No answer is given memory of its own: they are short, and come as text.
      const answer = await connection.exchange(request, () => undefined);
      if (answer.status !== 200) throw new Error(`${path} gave ${answer.status}`);
      const chunked = answer.headers["transfer-encoding"] === "chunked";
      return (chunked ? joined(answer.text) : answer.text).trim();
    } finally {
      clearTimeout(timer);
    }
  }
}
