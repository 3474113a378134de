import { crc32 } from "node:zlib";

function header(name: string, value: string): Buffer {
  const key = Buffer.from(name);
  const text = Buffer.from(value);
  const head = Buffer.alloc(4 + key.length);
  head.writeUInt8(key.length, 0);
  key.copy(head, 1);
  // 7 is the type of text: https://smithy.io/2.0/aws/amazon-eventstream.html
  head.writeUInt8(7, 1 + key.length);
  head.writeUInt16BE(text.length, 2 + key.length);
  return Buffer.concat([head, text]);
}

/** One message of AWS's event stream encoding: lengths, checksums, headers, payload. */
export function eventMessage(headers: Readonly<Record<string, string>>, payload: Buffer): Buffer {
  const heads = Buffer.concat(Object.entries(headers).map(([name, value]) => header(name, value)));
  const total = 12 + heads.length + payload.length + 4;
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(total, 0);
  prelude.writeUInt32BE(heads.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const body = Buffer.concat([prelude, heads, payload]);
  const end = Buffer.alloc(4);
  end.writeUInt32BE(crc32(body), 0);
  return Buffer.concat([body, end]);
}

/** A part of an answer of InvokeEndpointWithResponseStream. */
export function payloadPart(bytes: Buffer): Buffer {
  return eventMessage(
    {
      ":message-type": "event",
      ":event-type": "PayloadPart",
      ":content-type": "application/octet-stream",
    },
    bytes,
  );
}
