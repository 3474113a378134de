import type { EC2 } from "@aws-sdk/client-ec2";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType } from "../../engine/resource-type.ts";
import { boolean, number, string } from "../../engine/schema.ts";
import { tagMap } from "../../engine/tags.ts";
import { ec2Arn, tagEc2, tagSpecification } from "./ec2-tags.ts";
import { templateFields, templateRequest, templateValues } from "./launch-template-data.ts";

async function setDefault(ec2: EC2, id: string, version: string | number): Promise<void> {
  await ec2.modifyLaunchTemplate({ LaunchTemplateId: id, DefaultVersion: String(version) });
}

/** What instances are launched from. Every change makes a new version. */
export const launchTemplate = resourceType({
  token: "aws:ec2/launchTemplate:LaunchTemplate",
  inputs: {
    name: string({ computed: true, replace: true }),
    description: string(),
    defaultVersion: number({ computed: true }),
    updateDefaultVersion: boolean(),
    ...templateFields,
  },
  outputs: ["arn", "latestVersion"],
  volatile: ["latestVersion", "defaultVersion"],
  name: { property: "name", limit: 125 },
  tag: tagEc2,
  check: ({ defaultVersion, updateDefaultVersion }) =>
    defaultVersion !== undefined && updateDefaultVersion !== undefined
      ? { defaultVersion: "conflicts with updateDefaultVersion; give one of them" }
      : {},
  create: async (context, inputs) => {
    const ec2 = await context.clients.ec2();
    const { LaunchTemplate } = await ec2.createLaunchTemplate({
      LaunchTemplateName: inputs.name,
      VersionDescription: inputs.description,
      LaunchTemplateData: templateRequest(inputs),
      ...tagSpecification("launch-template", inputs.tagsAll),
    });
    return { id: LaunchTemplate?.LaunchTemplateId ?? "" };
  },
  read: async (context, id) => {
    const ec2 = await context.clients.ec2();
    const answer = await unlessGone(ec2.describeLaunchTemplates({ LaunchTemplateIds: [id] }));
    const found = answer?.LaunchTemplates?.[0];
    if (found === undefined) return undefined;
    const request = { LaunchTemplateId: id, Versions: ["$Latest"] };
    const version = (await ec2.describeLaunchTemplateVersions(request)).LaunchTemplateVersions?.[0];
    // moto tells later tags here only.
    const { Tags } = await ec2.describeTags({ Filters: [{ Name: "resource-id", Values: [id] }] });
    return {
      arn: await ec2Arn(context, `launch-template/${id}`),
      name: found.LaunchTemplateName,
      description: version?.VersionDescription,
      latestVersion: found.LatestVersionNumber ?? 1,
      defaultVersion: found.DefaultVersionNumber ?? 1,
      ...templateValues(version?.LaunchTemplateData ?? {}),
      tagsAll: tagMap(Tags),
    };
  },
  update: async (context, id, { news, changed }) => {
    const ec2 = await context.clients.ec2();
    const content = ["description", ...Object.keys(templateFields)];
    let latest: number | undefined;
    if (content.some((key) => changed.has(key))) {
      const { LaunchTemplateVersion } = await ec2.createLaunchTemplateVersion({
        LaunchTemplateId: id,
        VersionDescription: news.description,
        LaunchTemplateData: templateRequest(news),
      });
      latest = LaunchTemplateVersion?.VersionNumber;
    }
    if (changed.has("defaultVersion") && news.defaultVersion !== undefined) {
      await setDefault(ec2, id, news.defaultVersion);
    } else if (news.updateDefaultVersion === true) {
      const asked = latest ?? (changed.has("updateDefaultVersion") ? "$Latest" : undefined);
      if (asked !== undefined) await setDefault(ec2, id, asked);
    }
  },
  delete: async (context, id) => {
    const ec2 = await context.clients.ec2();
    await unlessGone(ec2.deleteLaunchTemplate({ LaunchTemplateId: id }));
  },
});
