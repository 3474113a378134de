import { functionType } from "../engine/function-type.ts";
import { boolean, string } from "../engine/schema.ts";

/** A parameter of Systems Manager; its value is a secret, `insecureValue` is the same for those that are not. */
export const getParameter = functionType({
  token: "aws:ssm/getParameter:getParameter",
  inputs: { name: string({ required: true }), withDecryption: boolean({ default: true }) },
  secrets: ["value"],
  invoke: async (context, { name, withDecryption }) => {
    const ssm = await context.clients.ssm();
    const { Parameter } = await ssm.getParameter({ Name: name, WithDecryption: withDecryption });
    const type = Parameter?.Type ?? "String";
    return {
      id: name,
      arn: Parameter?.ARN ?? "",
      type,
      value: Parameter?.Value ?? "",
      insecureValue: type === "SecureString" ? "" : (Parameter?.Value ?? ""),
      version: Parameter?.Version ?? 1,
    };
  },
});
