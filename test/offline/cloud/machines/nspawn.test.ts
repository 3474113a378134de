import { nspawnTier } from "../../../../offline/cloud/machines/nspawn.ts";
import { holdToContract } from "./contract.ts";

holdToContract(nspawnTier);
