// A small file on its way from memory into the staging folder.

import fs from "node:fs";

const pageBytes = 4096;
/** Through the page cache a file costs three times the processor time, and the disk has all of it to write at the end. */
const directFrom = 16 * 1024;
const { O_WRONLY, O_CREAT, O_TRUNC, O_DIRECT } = fs.constants;
const flags = O_WRONLY | O_CREAT | O_TRUNC;
let direct = O_DIRECT !== undefined;

/** Bytes of the pages that so many bytes lie in. */
export function roomFor(bytes) {
  return Math.ceil(bytes / pageBytes) * pageBytes;
}

function throughCache(path, bytes, mode) {
  const fd = fs.openSync(path, flags, mode);
  try {
    for (let put = 0; put < bytes.length;) put += fs.writeSync(fd, bytes, put);
    return fs.fstatSync(fd).mtimeMs;
  } finally {
    fs.closeSync(fd);
  }
}

/** Gives undefined where less was written than asked: the other way says why. */
function pastCache(path, room, size, mode) {
  const fd = fs.openSync(path, flags | O_DIRECT, mode);
  return new Promise((resolve, reject) => {
    fs.write(fd, room, 0, room.length, 0, (error, written) => {
      let mtimeMs;
      try {
        // Where quotas are kept on a server, the end of a file may be what fails.
        try {
          if (error) throw error;
          if (written === room.length && room.length > size) fs.ftruncateSync(fd, size);
          if (written === room.length) mtimeMs = fs.fstatSync(fd).mtimeMs;
        } finally {
          fs.closeSync(fd);
        }
        resolve(mtimeMs);
      } catch (failure) {
        reject(failure);
      }
    });
  });
}

/**
 * Writes a file and gives its time in milliseconds.
 *
 * @param room whole pages of memory, from a page's start, in which the first `size` bytes are the file's
 */
export async function stageFile(path, room, size, mode) {
  if (direct && size >= directFrom) {
    room.fill(0, size);
    try {
      const mtimeMs = await pastCache(path, room, size, mode);
      if (mtimeMs !== undefined) return mtimeMs;
    } catch (error) {
      // What a file system says that takes no direct writes, at the open or at the write.
      if (error.code !== "EINVAL") throw error;
      direct = false;
    }
  }
  return throughCache(path, room.subarray(0, size), mode);
}
