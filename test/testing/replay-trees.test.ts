import { describe, expect, it } from "vitest";
import { SimulatedHost } from "../../src/testing/index.js";
import { DIFFERENT_CONTENTS, UNCOMPARED_FIELDS } from "./exceptions.js";
import { recordedParent, type RecordedNode, type RecordedTree, uuid } from "./recordings.js";
import { treeOf } from "./tree.js";

const needed = new Set<string>();

function rootsOf(name: string, path: string): string[] {
  return [
    "/sys/class/mdev_bus",
    "/sys/bus/mdev",
    path,
    "/sys/kernel/iommu_groups",
    "/sys/class/vfio",
    "/sys/class/vfio-dev",
    "/sys/devices/virtual/vfio",
    `/sys/class/${name}`,
    `/sys/module/${name}`,
    "/sys/module/mdev",
    "/dev/vfio",
  ];
}

// What is left to compare of a recorded node, noting which exceptions took something away.
function comparable(path: string, recorded: RecordedNode, simulated: RecordedNode | undefined): RecordedNode {
  for (const field of Object.keys(UNCOMPARED_FIELDS)) if (field in recorded) needed.add(field);
  const rest: Record<string, unknown> = Object.fromEntries(
    Object.entries(recorded).filter(([field]) => !(field in UNCOMPARED_FIELDS)),
  );
  const different = DIFFERENT_CONTENTS.find((exception) => exception.path.test(path));
  if (different && simulated && recorded.content !== simulated.content) {
    needed.add(different.path.source);
    rest["content"] = simulated.content;
  }
  return rest as unknown as RecordedNode;
}

function expectSame(recorded: RecordedTree, simulated: RecordedTree): void {
  expect(Object.keys(simulated).sort()).toEqual(Object.keys(recorded).sort());
  for (const [path, node] of Object.entries(recorded))
    expect({ path, ...simulated[path] }).toEqual({ path, ...comparable(path, node, simulated[path]) });
}

describe.each(["mtty", "mdpy", "mbochs"])("the recorded trees of %s", (name) => {
  const { parent, steps } = recordedParent(name);

  it("are what the simulation shows after the same writes", async () => {
    const simulated = new SimulatedHost();
    simulated.addMtty();
    simulated.addMdpy();
    simulated.addMbochs();
    const { fs } = simulated;
    const create = (type: string | undefined, id: string): Promise<void> =>
      fs.writeFile(`${parent.path}/mdev_supported_types/${type ?? ""}/create`, id, { flag: 1 });
    const writes: Record<string, () => Promise<void>> = {
      before: async () => undefined,
      created: () => create(parent.types[0], uuid(1)),
      "created-two": () => create(parent.types[1], uuid(2)),
      removed: async () => {
        for (const id of await fs.readdir("/sys/bus/mdev/devices"))
          await fs.writeFile(`/sys/bus/mdev/devices/${id}/remove`, "1", { flag: 1 });
      },
    };
    expect(steps.map(({ id }) => id)).toEqual(Object.keys(writes));
    for (const { id, tree } of steps) {
      await writes[id]?.();
      expectSame(tree, await treeOf(fs, rootsOf(name, parent.path)));
    }
  });
});

it("no exception is there that is not needed", () => {
  expect([...needed].sort()).toEqual(
    [...Object.keys(UNCOMPARED_FIELDS), ...DIFFERENT_CONTENTS.map(({ path }) => path.source)].sort(),
  );
});
