import { processTier } from "../../../../offline/cloud/machines/process.ts";
import { holdToContract } from "./contract.ts";

holdToContract(processTier);
