// Gives up on a removal that is stuck, says so, and has nothing left to do (see local-files.ts).
import { MdevHost } from "../../src/index.js";

const [sysfs = "", uuid = ""] = process.argv.slice(2);
const device = await new MdevHost({ sysfs }).device(uuid).getOrThrow();
const removal = await device.remove({ timeout: 2_000 });
console.log(removal.ok ? "removed" : removal.error.type);
