import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

interface Checksums {
  readonly algorithms: Record<string, { update(bytes: Uint8Array, before: bigint): bigint }>;
  readonly encode: (name: string, value: bigint) => string;
}
const engine = join(import.meta.dirname, "../../provider/remote/sync/checksums.mjs");
const { algorithms, encode } = (await import(pathToFileURL(engine).href)) as Checksums;

/** A loopback address of its own with ports 80 and 443 (which need root): CRT in older AWS CLIs loses other ports. */
export const usualPortsAt = "127.0.0.73";

/** Files of one size. */
export interface Fixture {
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
}

/** A free port of the loopback. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Writes an object block by block, since no one write takes 4 GiB; gives its CRC64NVME. */
function writeObject(path: string, bytes: number): bigint {
  const block = randomBytes(Math.min(bytes, 64 << 20));
  const file = openSync(path, "w");
  let sum = 0n;
  try {
    for (let at = 0; at < bytes; at += block.length) {
      const piece = block.subarray(0, bytes - at);
      writeSync(file, piece);
      sum = algorithms["CRC64NVME"]!.update(piece, sum);
    }
  } finally {
    closeSync(file);
  }
  return sum;
}

/** Writes the objects of a fixture below `root/weights/m/`, and what a list of them says. */
function writeObjects(root: string, fixture: Fixture): string[] {
  const folder = join(root, "weights", "m");
  mkdirSync(folder, { recursive: true });
  const items: string[] = [];
  const headers: string[] = [];
  for (let index = 0; index < fixture.count; index++) {
    const key = `m/f${String(index).padStart(5, "0")}.safetensors`;
    const path = join(root, "weights", key);
    const sum = encode("CRC64NVME", writeObject(path, fixture.bytes));
    // As nginx makes it, so that it honours If-Match.
    const seconds = Math.floor(statSync(path).mtimeMs / 1000);
    const etag = `${seconds.toString(16)}-${fixture.bytes.toString(16)}`;
    items.push(
      `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${fixture.bytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
    );
    headers.push(`"/weights/${key}" "${sum}";`);
  }
  writeFileSync(
    join(root, "list.xml"),
    `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>weights</Name><Prefix>m/</Prefix><KeyCount>${fixture.count}</KeyCount><MaxKeys>100000</MaxKeys><IsTruncated>false</IsTruncated>${items.join("")}</ListBucketResult>`,
  );
  return headers;
}

interface Ports {
  readonly plain: number;
  readonly tls: number;
  readonly usual: boolean;
}

/** How a server differs from the plain one. */
export interface ServerOptions {
  /** It also listens at {@link usualPortsAt}, as one server of the machine can. @default false */
  readonly usualPorts?: boolean;
  /** It writes down what it was asked. @default false */
  readonly log?: boolean;
  /** Bytes a second of each connection, as a network would have it. @default no limit */
  readonly laneBytesPerSecond?: number;
  /** The address of what answers all that is not asked of S3. @default nothing does */
  readonly behind?: string;
}

function config(root: string, ports: Ports, headers: readonly string[], options: ServerOptions) {
  const { log = false, laneBytesPerSecond = 0, behind } = options;
  return `
daemon off; worker_processes 2; pid ${root}/nginx.pid; error_log ${root}/error.log;
events { worker_connections 2048; }
http {
  log_format asked "$request_method $uri";
  access_log ${log ? `${root}/access.log asked` : "off"}; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path ${root}/t1; proxy_temp_path ${root}/t2; fastcgi_temp_path ${root}/t3;
  uwsgi_temp_path ${root}/t4; scgi_temp_path ${root}/t5;
  map_hash_max_size 65536; map_hash_bucket_size 256;
  map $uri $sum { default ""; ${headers.join("\n")} }
  map $http_range $whole_sum { "" $sum; }
  map $request_method $shown_sum { HEAD $sum; default $whole_sum; }
  server {
    listen 127.0.0.1:${ports.plain}; listen 127.0.0.1:${ports.tls} ssl;
    ${ports.usual ? `listen ${usualPortsAt}:80; listen ${usualPortsAt}:443 ssl;` : ""}
    ssl_certificate ${root}/cert.pem; ssl_certificate_key ${root}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:1m;
    root ${root}; default_type binary/octet-stream;
    add_header x-amz-checksum-crc64nvme $shown_sum;
    add_header x-amz-checksum-type FULL_OBJECT;
    location = /weights/ { default_type application/xml; try_files /list.xml =404; }
    location /weights/m/ { limit_rate ${laneBytesPerSecond}; }
    ${behind === undefined ? "" : `location / { proxy_pass ${behind}; proxy_buffering off; }`}
    location = /weights { default_type application/xml; try_files /list.xml =404; }
  }
}`;
}

/** An S3 of static files: nginx with a canned list. It says the checksums that S3 would. */
export class StaticS3 {
  readonly #root: string;
  readonly #options: ServerOptions;
  #process: ChildProcess | undefined;
  #plain = 0;
  #tls = 0;

  /** @param root a folder in memory, so that the server's disk is not measured */
  constructor(root: string, options: ServerOptions) {
    this.#root = root;
    this.#options = options;
  }

  /**
   * Makes the objects and starts the server.
   *
   * @throws Error when it does not answer
   */
  async start(fixture: Fixture): Promise<void> {
    // nginx's workers run as another user.
    chmodSync(this.#root, 0o755);
    const headers = writeObjects(this.#root, fixture);
    execFileSync(
      "openssl",
      [
        ...[
          "req",
          "-x509",
          "-newkey",
          "rsa:2048",
          "-nodes",
          "-days",
          "2",
          "-subj",
          "/CN=localhost",
        ],
        ...["-addext", `subjectAltName=DNS:localhost,IP:127.0.0.1,IP:${usualPortsAt}`],
        ...["-keyout", join(this.#root, "key.pem"), "-out", this.certificate],
      ],
      { stdio: "ignore" },
    );
    this.#plain = await freePort();
    this.#tls = await freePort();
    const path = join(this.#root, "nginx.conf");
    const usual = this.#options.usualPorts ?? false;
    const ports = { plain: this.#plain, tls: this.#tls, usual };
    writeFileSync(path, config(this.#root, ports, headers, this.#options));
    const nginx = process.env["BERTH_BENCH_NGINX"] ?? "nginx";
    this.#process = spawn(nginx, ["-c", path, "-p", this.#root], { stdio: "inherit" });
    await this.#listens();
  }

  async #listens(): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      if (this.#process?.exitCode !== null) break;
      const answers = await fetch(this.endpoint(false)).then(
        () => true,
        () => false,
      );
      if (answers) return;
      await sleep(100);
    }
    throw new Error("nginx did not start");
  }

  /** How many GETs of objects there were; with `log` alone. */
  get objectGets(): number {
    const lines = readFileSync(join(this.#root, "access.log"), "utf8").split("\n");
    return lines.filter((line) => line.startsWith("GET /weights/m/")).length;
  }

  /** Of plain HTTP. */
  get port(): number {
    return this.#plain;
  }

  get certificate(): string {
    return join(this.#root, "cert.pem");
  }

  endpoint(tls: boolean): string {
    return tls ? `https://localhost:${this.#tls}` : `http://127.0.0.1:${this.#plain}`;
  }

  /** Ends the server. */
  async stop(): Promise<void> {
    if (this.#process?.exitCode !== null) return;
    this.#process.kill("SIGTERM");
    await new Promise((resolve) => this.#process?.once("close", resolve));
  }
}
