import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below what a system gives out by itself, to servers and to the near ends of connections: Linux from 32768, macOS from 49152. */
const [lowest, beyond] = [10_000, 32_000];

/** Marks a port as taken for as long as this process lives, by its UDP namesake, which nobody serves. */
async function mark(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  try {
    socket.bind({ port, address: "127.0.0.1", exclusive: true });
    await once(socket, "listening");
    socket.unref();
    return true;
  } catch {
    socket.close();
    return false;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/**
 * A port of 127.0.0.1 that nothing listens on, for a server that is started later. Until then nobody gets it by chance: the
 * system gives none of these out, and no other caller of this function, in any process, is told the same one.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, beyond);
    if ((await mark(port)) && (await isFree(port))) return port;
  }
}
