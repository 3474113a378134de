import { explained } from "./components/explained.ts";
import { deploy } from "./stacks/deploy.ts";

/** One model, one target, one lease: read the settings, plan on data alone, then provision what the plan says. */
export default explained(deploy);
