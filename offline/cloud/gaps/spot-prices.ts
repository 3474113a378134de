import { ApiError, type ApiReply, type ApiRequest } from "../proxy/api-request.ts";
import { escapeXml } from "../proxy/xml.ts";
import { priceTable } from "./price-table.ts";

/** Of the on-demand price, by zone; real ones move all day, and these do not. */
const shares: Readonly<Record<string, number>> = { a: 0.38, b: 0.35, c: 0.41 };

/**
 * Holds a launch on spot that offers less than the price.
 *
 * @throws ApiError SpotMaxPriceTooLow, as EC2 answers it
 */
export function checkSpotPrice(mostUsd: number, instanceType: string, zone: string): void {
  const { regions, hourlyUsd } = priceTable("ec2-prices");
  const onDemandUsd = hourlyUsd[instanceType]?.[regions.indexOf(zone.slice(0, -1))];
  const share = shares[zone.slice(-1)];
  if (onDemandUsd === undefined || onDemandUsd === null || share === undefined) return;
  const usd = onDemandUsd * share;
  if (mostUsd >= usd) return;
  throw new ApiError(
    "SpotMaxPriceTooLow",
    `Your Spot request price of ${mostUsd} is lower than the minimum required Spot request fulfillment price of ${usd.toFixed(6)}.`,
  );
}

function wantedTypes(call: ApiRequest): ReadonlySet<string> {
  const named = Object.entries(call.parameters).filter(([name]) =>
    /^InstanceType\.\d+$/.test(name),
  );
  return new Set(named.map(([, value]) => String(value)));
}

/** DescribeSpotPriceHistory with plausible prices; moto has one price for all, a thousandth of a cent. */
export function serveSpotPrices(call: ApiRequest, now: Date): ApiReply | undefined {
  if (call.service !== "ec2" || call.operation !== "DescribeSpotPriceHistory") return undefined;
  const { regions, hourlyUsd } = priceTable("ec2-prices");
  const region = regions.indexOf(call.region);
  const wanted = wantedTypes(call);
  const items = Object.entries(hourlyUsd).flatMap(([type, prices]) => {
    const usd = prices[region];
    if (usd === null || usd === undefined || (wanted.size > 0 && !wanted.has(type))) return [];
    return Object.entries(shares).map(
      ([zone, share]) =>
        `<item><instanceType>${escapeXml(type)}</instanceType><productDescription>Linux/UNIX</productDescription>` +
        `<spotPrice>${(usd * share).toFixed(6)}</spotPrice><timestamp>${now.toISOString()}</timestamp>` +
        `<availabilityZone>${escapeXml(call.region)}${zone}</availabilityZone></item>`,
    );
  });
  return {
    status: 200,
    headers: { "content-type": "text/xml" },
    body:
      `<?xml version="1.0" encoding="UTF-8"?>\n<DescribeSpotPriceHistoryResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">` +
      `<requestId>emulated</requestId><spotPriceHistorySet>${items.join("")}</spotPriceHistorySet><nextToken/></DescribeSpotPriceHistoryResponse>`,
  };
}
