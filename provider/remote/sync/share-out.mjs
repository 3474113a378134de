// How a transfer is shared out: over how many threads, and which small files are one job.

import { availableParallelism } from "node:os";
import { roomFor } from "./stage-file.mjs";

/** A thread costs a tenth of a second of processor time before its first byte, and its own connections their greetings. */
const threadBytes = 512 * 1024 ** 2;
/** Half of what small files take is the file system's, which makes one file of a folder at a time. */
const smallShare = 0.5;
const mostThreads = 16;

/** Threads for bytes of large files (`ranges`) and of `small` ones. */
export function threadsFor({ ranges, small }) {
  const worth = Math.ceil((ranges + small * smallShare) / threadBytes);
  return Math.max(1, Math.min(availableParallelism(), worth, mostThreads));
}

/** A batch is told of at its end: it fits the memory for a range, so that little is lost when the sync dies. */
export function batches(files, { lanes, rangeBytes }) {
  const most = Math.max(1, Math.min(16, Math.ceil(files.length / (lanes * 4))));
  const all = [];
  let room = 0;
  for (const small of files) {
    const last = all.at(-1);
    const bytes = roomFor(small.file.size);
    const fits = last !== undefined && last.files.length < most && bytes <= room;
    if (fits) last.files.push(small);
    else {
      all.push({ files: [small] });
      room = rangeBytes;
    }
    room -= bytes;
  }
  return all;
}
