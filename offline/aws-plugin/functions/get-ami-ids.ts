import { functionType } from "../engine/function-type.ts";
import { boolean, list, string } from "../engine/schema.ts";
import { ec2Filters, filters } from "./filters.ts";

/** Ids of images, newest first unless asked otherwise; none is no error. */
export const getAmiIds = functionType({
  token: "aws:ec2/getAmiIds:getAmiIds",
  inputs: { filters, owners: list(string()), sortAscending: boolean() },
  invoke: async (context, given) => {
    const ec2 = await context.clients.ec2();
    const asked = { ...ec2Filters(given.filters, undefined), Owners: given.owners };
    const { Images = [] } = await ec2.describeImages(asked);
    const sorted = Images.toSorted((a, b) =>
      (a.CreationDate ?? "") < (b.CreationDate ?? "") ? -1 : 1,
    );
    if (given.sortAscending !== true) sorted.reverse();
    return {
      id: context.region,
      ids: sorted.map(({ ImageId }) => ImageId ?? ""),
      owners: given.owners ?? [],
      filters: given.filters ?? [],
      sortAscending: given.sortAscending ?? false,
    };
  },
});
