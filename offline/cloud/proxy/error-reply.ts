import { randomUUID } from "node:crypto";
import { ApiError, type ApiReply, type Protocol } from "./api-request.ts";
import { escapeXml } from "./xml.ts";

/** Writes an API error the way the protocol of the call does. */
export function errorReply(protocol: Protocol, error: ApiError): ApiReply {
  const requestId = randomUUID();
  const code = escapeXml(error.code);
  const message = escapeXml(error.message);
  const xml = (body: string): ApiReply => ({
    status: error.status,
    headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
  });
  switch (protocol) {
    case "ec2":
      return xml(
        `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>${requestId}</RequestID></Response>`,
      );
    case "query":
      return xml(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
      );
    case "s3":
      return xml(
        `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>${requestId}</RequestId></Error>`,
      );
    case "json":
    case "rest-json":
      return {
        status: error.status,
        headers: {
          "content-type": "application/x-amz-json-1.1",
          "x-amzn-errortype": error.code,
          "x-amzn-requestid": requestId,
        },
        body: JSON.stringify({
          __type: error.code,
          message: error.message,
          Message: error.message,
        }),
      };
  }
}
