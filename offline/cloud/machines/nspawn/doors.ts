import { spawn } from "node:child_process";
import { createServer, request } from "node:http";
import { connect, Server } from "node:net";
import { join } from "node:path";
import { systemPath } from "./command.ts";
import { metadataAddress, namespaces } from "./network.ts";

/** A server that listens in another network namespace, while its connections are handled here. */
function listenIn(namespace: string, address: string, port: number): Promise<Server> {
  const script = join(import.meta.dirname, "listen.mjs");
  const child = spawn(
    "nsenter",
    [`--net=/run/netns/${namespace}`, process.execPath, script, address, String(port)],
    { stdio: ["ignore", "ignore", "inherit", "ipc"], env: { PATH: systemPath } },
  );
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("message", (message, handle) => {
      child.disconnect();
      // A client may end its half and still wait for the answer.
      if (handle instanceof Server) resolve(Object.assign(handle, { allowHalfOpen: true }));
      else reject(new Error(`${address}:${port} in the machine: ${JSON.stringify(message)}`));
    });
    child.on("exit", (code) => {
      reject(
        new Error(`listening on ${address}:${port} in the machine ended with ${String(code)}`),
      );
    });
  });
}

/** Makes the cloud, which listens on the host's `127.0.0.1:port`, answer at the same address inside the machine. */
export async function openCloudDoor(port: number): Promise<void> {
  const server = await listenIn(namespaces.machine, "127.0.0.1", port);
  server.on("connection", (inner) => {
    const outer = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    inner.on("error", () => outer.destroy());
    outer.on("error", () => inner.destroy());
    inner.on("close", () => outer.destroy());
    outer.on("close", () => inner.destroy());
    inner.pipe(outer).pipe(inner);
  });
}

/** Makes the cloud's metadata service of one instance answer at {@link metadataAddress} inside the machine. */
export async function openMetadataDoor(instanceId: string, port: number): Promise<void> {
  const server = await listenIn(namespaces.metadata, metadataAddress, 80);
  const front = createServer((asked, answer) => {
    const call = request(
      {
        host: "127.0.0.1",
        port,
        method: asked.method,
        path: `/_cloud/imds/${instanceId}${asked.url ?? "/"}`,
        headers: { ...asked.headers, host: `127.0.0.1:${port}` },
      },
      (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      },
    );
    call.on("error", () => {
      if (!answer.headersSent) answer.writeHead(503);
      answer.end();
    });
    asked.pipe(call);
  });
  server.on("connection", (socket) => front.emit("connection", socket));
}
