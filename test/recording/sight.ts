import { type FileSystem, MdevHost, type MdevHostOptions, type Problem } from "../../src/index.js";
import { VfioApDevice, readApHost } from "../../src/extensions/s390/index.js";
import { plain } from "../contract/expect.js";

/** The words of problems hold those of a file system's error, which are its own; and their order is that of its listings. */
function inOrder(key: string, value: unknown): unknown {
  if (key !== "problems" || !Array.isArray(value)) return value;
  return (value as Problem[]).map(({ type, path, raw }) => JSON.stringify({ type, path, raw })).sort();
}

/** All that the library tells of a host, whatever it is asked. */
export async function sightOf(fs: FileSystem, options: MdevHostOptions = {}): Promise<unknown> {
  const host = new MdevHost({ fs, ...options });
  const parents = await host.parents().getOrThrow();
  const cards = await host.cards().getOrThrow();
  const sight = {
    support: await host.support().getOrThrow(),
    snapshot: await host.snapshot().getOrThrow(),
    cards: cards.map((card) => ({ ...card, parents: card.parents.map(({ path }) => path) })),
    ap: await readApHost(host),
    parents: await Promise.all(
      parents.map(async (parent) => ({
        info: await parent.read(),
        siblings: await parent.siblings().map((siblings) => siblings.map(({ path }) => path)),
        types: await Promise.all((await parent.types().getOrThrow()).map((type) => type.read())),
        devices: await Promise.all(
          (await parent.devices().getOrThrow()).map(async (device) => ({
            info: await device.read(),
            nodes: await device.vfioNodes(),
            removable: await device.can("remove"),
            ap: await device.as(VfioApDevice).map((ap) => ap.config()),
          })),
        ),
      })),
    ),
    draft: await host.parent("0000:87:00.0").fold(
      () => "a parent",
      ({ type, message }) => (type === "unsupported" ? message : type),
    ),
  };
  return plain(JSON.parse(JSON.stringify(sight, inOrder)));
}
