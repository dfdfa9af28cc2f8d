import { describe, expect, it } from "vitest";
import { replay } from "../../src/recording/index.js";
import { SimulatedHost } from "../../src/testing/index.js";
import { DIFFERENT_CONTENTS } from "./exceptions.js";
import { recordedParent, uuid } from "./recordings.js";
import { type Tree, type TreeNode, treeOf } from "./tree.js";

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

// What is to be seen at a path, noting which exceptions were needed.
function expectedAt(path: string, recorded: TreeNode, simulated: TreeNode | undefined): TreeNode {
  const different = DIFFERENT_CONTENTS.find((exception) => exception.path.test(path));
  if (different === undefined || simulated?.text === undefined || recorded.text === simulated.text)
    return recorded;
  needed.add(different.path.source);
  return { ...recorded, text: simulated.text };
}

function expectSame(recorded: Tree, simulated: Tree): void {
  expect(Object.keys(simulated).sort()).toEqual(Object.keys(recorded).sort());
  for (const [path, node] of Object.entries(recorded))
    expect({ path, ...simulated[path] }).toEqual({ path, ...expectedAt(path, node, simulated[path]) });
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
    for (const { id, recording } of steps) {
      await writes[id]?.();
      const roots = rootsOf(name, parent.path);
      const recorded = await treeOf(replay(recording).getOrThrow(), roots);
      expect(Object.keys(recorded).sort()).toEqual(Object.keys(recording.entries)); // nothing is left out
      expectSame(recorded, await treeOf(fs, roots));
    }
  });
});

it("no exception is there that is not needed", () => {
  expect([...needed].sort()).toEqual(DIFFERENT_CONTENTS.map(({ path }) => path.source).sort());
});
