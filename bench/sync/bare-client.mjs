// What Node itself costs: GETs the files of a plan over sixteen connections of one thread and writes them. It signs nothing,
// checks nothing, tries nothing twice and cannot go on after a crash. `node bare-client.mjs sync PLAN.json`, as the engine.

import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  write,
} from "node:fs";
import net from "node:net";
import { dirname } from "node:path";
import tls from "node:tls";

const lanes = 16;
const page = 4096;
const plan = JSON.parse(readFileSync(process.argv[3], "utf8"));
const { hostname, port, protocol, pathname } = new URL(plan.origin);
const largest = Math.max(...plan.files.map(({ size }) => size));
/** Room for a head before the body, which begins at a page. */
const headBytes = 4 * page;

/** Page-aligned memory, as direct writes want it. */
function memory(bytes) {
  return Buffer.from(new WebAssembly.Memory({ initial: Math.ceil(bytes / 65_536) }).buffer);
}

function save(path, bytes, done) {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_DIRECT } = constants;
  const file = openSync(`${path}.part`, O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT, 0o640);
  write(file, bytes, 0, bytes.length, 0, (error) => {
    if (error) throw error;
    closeSync(file);
    renameSync(`${path}.part`, path);
    done();
  });
}

let next = 0;

/** Fetches one file after the other over one connection, each while the one before is written. */
function lane() {
  const space = [0, 1].map(() => memory(headBytes + largest + page));
  let turn = 0;
  let [got, file, free] = [0, undefined, [true, true]];
  let wanting = false;
  const where = {
    host: hostname,
    port,
    onread: { buffer: () => space[turn].subarray(got), callback },
  };
  const socket =
    protocol === "https:" ? tls.connect({ ...where, servername: hostname }) : net.connect(where);
  socket.setNoDelay(true);
  const ask = () => {
    // The next read goes where it is said now.
    got = 0;
    wanting = !free[turn];
    if (wanting) return;
    file = plan.files[next++];
    if (file === undefined) return void socket.destroy();
    socket.write(`GET ${pathname}${file.key} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`, "latin1");
  };
  function callback(count) {
    got += count;
    const body = space[turn].subarray(0, headBytes).indexOf("\r\n\r\n") + 4;
    if (body < 4 || got < body + file.size) return true;
    const [at, path, from] = [turn, `${plan.folder}/${file.path}`, space[turn]];
    // The body is moved to where its page begins.
    from.copyWithin(0, body, body + file.size);
    free[at] = false;
    save(path, from.subarray(0, Math.ceil(file.size / page) * page), () => {
      free[at] = true;
      if (wanting) ask();
    });
    turn = 1 - turn;
    ask();
    return true;
  }
  ask();
}

for (const folder of new Set(plan.files.map(({ path }) => dirname(path))))
  mkdirSync(`${plan.folder}/${folder}`, { recursive: true });
for (let count = 0; count < lanes; count++) lane();
