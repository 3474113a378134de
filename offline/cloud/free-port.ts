import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below what a system gives out by itself, to servers and to the near ends of connections: Linux from 32768, macOS from 49152. */
const usual = { lowest: 10_000, beyond: 32_000 };

/** What marks the ports that were told last; by the time that so many more are, an earlier one is listened on. */
const marks: Socket[] = [];
const mostMarks = 100;

/** Marks a port as taken by its UDP namesake, which nobody serves; it ends with this process. */
async function mark(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  try {
    socket.bind({ port, address: "127.0.0.1", exclusive: true });
    await once(socket, "listening");
    socket.unref();
    marks.push(socket);
    if (marks.length > mostMarks) marks.shift()?.close();
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
 *
 * @param range that it is chosen from. @default 10000 to 31999
 */
export async function freePort({ lowest, beyond } = usual): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, beyond);
    if ((await mark(port)) && (await isFree(port))) return port;
  }
}
