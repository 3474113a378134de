// A thread with lanes of its own.

import { parentPort, workerData } from "node:worker_threads";
import { Lanes } from "./lanes.mjs";

await new Lanes(workerData, parentPort).run();
// Writes that are under way hold the thread until they have told their end.
parentPort.unref();
