// @ts-check
/**
 * Starts the devices whose definitions are automatic, of one parent or of all: what udev and systemd run when a parent is
 * registered. A device that is active stays as it is, so that it can run as often as it likes.
 *
 *     node examples/start-automatic.mjs            # all parents that have definitions
 *     node examples/start-automatic.mjs 0000:3b:00.0
 */
import { MdevHost } from "vfio-mdev";
import { DefinedHost, DefinitionStore } from "vfio-mdev/definitions";

const [parent] = process.argv.slice(2);
const host = new MdevHost();
if (parent) await host.waitForParents({ ids: [parent], timeout: 60_000 }).getOrThrow();
const defined = new DefinedHost({ host, store: new DefinitionStore() });
const { starts, problems } = await defined.startAuto({ parent, timeout: 120_000 }).getOrThrow();
for (const { definition, started } of starts) if (started) console.log(`started ${definition.uuid}`);
for (const { message } of [...starts.flatMap(({ error }) => error ?? []), ...problems]) {
  console.error(message);
  process.exitCode = 1;
}
