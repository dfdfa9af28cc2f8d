// Takes a lock, says so, and keeps it until it is killed (see local-files.ts).
import { DirectoryStore, takeLock } from "../../src/index.js";

const [folder = "", name = ""] = process.argv.slice(2);
await takeLock(new DirectoryStore(folder), name).getOrThrow();
console.log("held");
setInterval(() => undefined, 60_000);
